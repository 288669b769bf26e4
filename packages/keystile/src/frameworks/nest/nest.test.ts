// Tests of what only Nest has: mistakes that stop the start of an app, inheritance, and other kinds
// of calls than HTTP. Decorators are called as functions, because Node does not support their
// syntax.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common'
import { APP_FILTER, NestFactory, type AbstractHttpAdapter } from '@nestjs/core'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { WsException } from '@nestjs/websockets'
import type { RefusedRequest } from '../../guard/refusal-report.ts'
import { createVerifier } from '../../guard/verifier.ts'
import { createTestIssuer } from '../../testing/test-issuer.ts'
import { getCaller, type CallerOf } from './admitted.ts'
import { AnyOf, Caller, Guard, OptionalCaller, OptionalGuard, Public } from './decorators.ts'
import { guardsToken, KeystileGuard, type Guards } from './guard.ts'
import { KeystileModule, type ModuleSettings } from './module.ts'

const issuer = createTestIssuer()
const scopes = { read: 'Read', write: 'Write' }
const options = { verifier: issuer.verifier, scopes }

type Type = new (...args: never[]) => object

/** Applies decorators to a method, and to its parameters. */
function decorate(
  { prototype }: { readonly prototype: object },
  method: string,
  decorators: readonly MethodDecorator[],
  parameters: readonly ParameterDecorator[] = [],
): void {
  for (const [index, one] of parameters.entries()) one(prototype, method, index)
  for (const one of decorators.toReversed()) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method)
    assert.ok(descriptor)
    const replaced = one(prototype, method, descriptor)
    Object.defineProperty(prototype, method, replaced ?? descriptor)
  }
}

let app: INestApplication | undefined
afterEach(async () => {
  await app?.close()
  app = undefined
})

interface Parts {
  readonly controllers?: readonly Type[]
  readonly providers?: NonNullable<DynamicModule['providers']>
  readonly imports?: readonly Type[]
  readonly guards?: DynamicModule | undefined
  readonly settings?: ModuleSettings
  /** Default: Express. */
  readonly platform?: AbstractHttpAdapter | undefined
}

/** Starts an app, and returns its URL. */
async function start(parts: Parts): Promise<string> {
  const { controllers = [], providers = [], imports = [], settings } = parts
  const guards = 'guards' in parts ? parts.guards : KeystileModule.forRoot(options, settings)
  class App {
    readonly name = 'app'
  }
  const all = [...imports, ...(guards ? [guards] : [])]
  Module({ imports: all, controllers: [...controllers], providers })(App)
  const { platform = new ExpressAdapter() } = parts
  app = await NestFactory.create(App, platform, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  return app.getUrl()
}

const statusOf = async (url: string, ...scopes: readonly string[]): Promise<number> => {
  const headers = scopes.length > 0 ? issuer.headers({ scopes: scopes.filter(Boolean) }) : {}
  return (await fetch(url, { headers })).status
}

/** Makes a module that an app can import. */
function moduleWith(parts: ModuleMetadata): Type {
  class Feature {
    readonly name = 'feature'
  }
  Module(parts)(Feature)
  return Feature
}

/** Makes a controller with one method `get`. */
function controllerWith(...decorators: readonly MethodDecorator[]): Type {
  class Things {
    get(): string {
      return 'things'
    }
  }
  Controller('things')(Things)
  decorate(Things, 'get', [Get(), ...decorators])
  return Things
}

describe('a Nest app with KeystileModule', () => {
  it('a handler without a decorator needs a token, unless the app is open by default', async () => {
    const closed = await start({ controllers: [controllerWith()] })
    assert.deepEqual(
      [await statusOf(`${closed}/things`), await statusOf(`${closed}/things`, '')],
      [401, 200],
    )
    await app?.close()
    const settings = { openByDefault: true }
    const open = await start({ controllers: [controllerWith()], settings })
    assert.equal(await statusOf(`${open}/things`), 200)
  })

  it('a guarded method stays guarded in an app whose routes are open by default', async () => {
    const settings = { openByDefault: true }
    const url = await start({ controllers: [controllerWith(Guard('read'))], settings })
    assert.deepEqual(
      [await statusOf(`${url}/things`), await statusOf(`${url}/things`, 'read')],
      [401, 200],
    )
  })

  it('@OptionalGuard() admits a request without a token only with @Public()', async () => {
    const url = await start({ controllers: [controllerWith(Public(), OptionalGuard('read'))] })
    assert.deepEqual(
      [await statusOf(`${url}/things`), await statusOf(`${url}/things`, 'write')],
      [200, 403],
    )
    await app?.close()
    const needing = await start({ controllers: [controllerWith(OptionalGuard())] })
    assert.equal(await statusOf(`${needing}/things`), 401)
  })

  it('KeystileModule in the root module guards the controllers of all modules', async () => {
    const imports = [moduleWith({ controllers: [controllerWith(Guard('read'))] })]
    const url = await start({ imports })
    assert.deepEqual(
      [await statusOf(`${url}/things`, 'write'), await statusOf(`${url}/things`, 'read')],
      [403, 200],
    )
  })

  it('onRefused gets the pattern of a Nest route, on Express and on Fastify', async () => {
    for (const platform of [new ExpressAdapter(), new FastifyAdapter()]) {
      const routes: (string | undefined)[] = []
      const onRefused = ({ route }: RefusedRequest): void => void routes.push(route)
      const guards = KeystileModule.forRoot({ ...options, onRefused })
      class Things {
        get(): string {
          return 'thing'
        }
      }
      Controller('things')(Things)
      decorate(Things, 'get', [Get(':id')])
      const url = await start({ controllers: [Things], guards, platform })
      assert.equal(await statusOf(`${url}/things/1`), 401)
      assert.deepEqual(routes, ['/things/:id'])
      await app?.close()
    }
  })

  it('Nest loads the user once for each request, but not if a scope is missing', async () => {
    let loads = 0
    const user = (): object => ({ loads: ++loads })
    const guards = KeystileModule.forRoot({ ...options, user })
    const url = await start({ controllers: [controllerWith(Guard('read'))], guards })
    assert.deepEqual([await statusOf(`${url}/things`, 'write'), loads], [403, 0])
    assert.deepEqual([await statusOf(`${url}/things`, 'read'), loads], [200, 1])
  })

  it('a @Public() method of a guarded controller needs no token', async () => {
    const Things = controllerWith(Public())
    Guard('read')(Things)
    const url = await start({ controllers: [Things] })
    assert.equal(await statusOf(`${url}/things`), 200)
  })

  for (const settings of [{ openByDefault: true }, {}]) {
    it(`an override of a guarded method stays guarded: ${JSON.stringify(settings)}`, async () => {
      class Base {
        get(): string {
          return 'base'
        }
      }
      decorate(Base, 'get', [Get(), Guard('write')])
      class Things extends Base {
        override get(): string {
          return 'things'
        }
      }
      Controller('things')(Things)
      decorate(Things, 'get', [Get()])
      const url = await start({ controllers: [Things], settings })
      assert.deepEqual(
        [
          await statusOf(`${url}/things`),
          await statusOf(`${url}/things`, 'read'),
          await statusOf(`${url}/things`, 'write'),
        ],
        [401, 403, 200],
      )
    })
  }

  it('an override of a public method is not public if it lacks @Public()', async () => {
    class Base {
      get(): string {
        return 'base'
      }
    }
    decorate(Base, 'get', [Get(), Public()])
    class Inherits extends Base {}
    Controller('inherits')(Inherits)
    class Overrides extends Base {
      override get(): string {
        return 'overrides'
      }
    }
    Controller('overrides')(Overrides)
    decorate(Overrides, 'get', [Get()])
    const url = await start({ controllers: [Inherits, Overrides] })
    assert.deepEqual(
      [await statusOf(`${url}/inherits`), await statusOf(`${url}/overrides`)],
      [200, 401],
    )
  })

  it('a method stays guarded if another decorator replaces the method', async () => {
    const replaces: MethodDecorator = (_target, _name, descriptor) => {
      const { value } = descriptor as { readonly value?: unknown }
      assert.ok(typeof value === 'function')
      const replaced = (): unknown => value.call(undefined)
      for (const key of Reflect.getMetadataKeys(value))
        Reflect.defineMetadata(key, Reflect.getMetadata(key, value), replaced)
      return { value: replaced, configurable: true, writable: true } as typeof descriptor
    }
    const url = await start({ controllers: [controllerWith(replaces, Guard('write'))] })
    assert.equal(await statusOf(`${url}/things`, 'read'), 403)
  })

  it('KeystileGuard throws if the handler is not a method of the controller class', async () => {
    const url = await start({ controllers: [controllerWith(Public())] })
    const guard = new KeystileGuard(getGuards())
    const Things = controllerWith(Public())
    const context = new ExecutionContextHost([], Things, () => {})
    assert.throws(() => guard.canActivate(context), /is not a method of this class/)
    assert.equal(await statusOf(`${url}/things`), 200)
  })

  it('a guard’s refusal does not reach a filter that catches all exceptions', async () => {
    class CatchAll {
      catch(): never {
        throw new Error('the filter was called')
      }
    }
    Catch()(CatchAll)
    const providers = [{ provide: APP_FILTER, useClass: CatchAll }]
    const url = await start({ controllers: [controllerWith()], providers })
    const refused = await fetch(`${url}/things`)
    assert.deepEqual(
      [refused.status, refused.headers.get('content-type')],
      [401, 'application/problem+json'],
    )
  })

  it('if a verifier cannot fetch keys, the guard answers 503 with Retry-After', async () => {
    // Nothing listens on this port.
    const unreachable = createTestIssuer({ issuer: 'http://127.0.0.1:1' })
    const { issuer, audience } = unreachable
    const verifier = createVerifier({ issuer, audience, revocations: 'none' })
    const guards = KeystileModule.forRoot({ verifier })
    const url = await start({ controllers: [controllerWith()], guards })
    const { status, headers } = await fetch(`${url}/things`, { headers: unreachable.headers() })
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^\d+$/)
    assert.equal(headers.get('www-authenticate'), null)
    verifier.close()
  })

  it('getCaller returns the caller in a guard that runs after Keystile’s guard', async () => {
    const seen: string[] = []
    class Owner implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        seen.push(getCaller<typeof options>(context).identity.subject)
        return true
      }
    }
    const url = await start({ controllers: [controllerWith(UseGuards(new Owner()))] })
    assert.equal(await statusOf(`${url}/things`, ''), 200)
    assert.deepEqual(seen, ['test-user'])
  })
})

describe('the caller of a Nest handler', () => {
  it('@Caller() passes the caller to a parameter of the handler', async () => {
    class Things {
      get({ identity }: CallerOf<typeof options>): string {
        return identity.subject
      }
    }
    Controller('things')(Things)
    decorate(Things, 'get', [Get()], [Caller()])
    const url = await start({ controllers: [Things] })
    const response = await fetch(`${url}/things`, { headers: issuer.headers({ subject: 'ada' }) })
    assert.equal(await response.text(), 'ada')
  })

  it('@OptionalCaller() throws if the handler has no guard', async () => {
    class Things {
      get(caller: unknown): string {
        return String(caller)
      }
    }
    Controller('things')(Things)
    decorate(Things, 'get', [Get(), Public()], [OptionalCaller()])
    const url = await start({ controllers: [Things] })
    assert.equal(await statusOf(`${url}/things`), 500)
  })
})

describe('mistakes that stop a Nest app at its start', () => {
  const refuses = (parts: Parts, message: RegExp): Promise<void> =>
    assert.rejects(start(parts), message)

  it('an app with @Guard but without KeystileModule does not start', async () => {
    const missing = /resolve dependencies of the KeystileGuard.*KeystileModule\.forRoot/s
    await refuses({ controllers: [controllerWith(Guard())], guards: undefined }, missing)
    const Things = controllerWith()
    OptionalGuard()(Things)
    await refuses({ controllers: [Things], guards: undefined }, missing)
  })

  it('an app does not start if it imports KeystileModule without calling forRoot', async () => {
    const guards = { module: KeystileModule }
    await refuses({ controllers: [controllerWith()], guards }, /dependencies of the KeystileModule/)
  })

  it('an app does not start if a guard demands an undeclared scope', async () => {
    const undeclared = /the scope "raed" is not declared; declared scopes: read, write/
    for (const decorator of [Guard('raed'), AnyOf('read', ['raed']), OptionalGuard('raed')])
      await refuses({ controllers: [controllerWith(decorator)] }, undeclared)
    const Things = controllerWith()
    Guard('raed')(Things)
    await refuses({ controllers: [Things] }, undeclared)
  })

  it('an app with a `verified` guard but without `user` does not start', async () => {
    for (const decorator of [Guard({ verified: true }), OptionalGuard({ verified: true })])
      await refuses(
        { controllers: [controllerWith(decorator)] },
        /a guard with `verified` must know the users/,
      )
  })

  it('an app does not start if a guard decorates a method that handles no requests', async () => {
    class Service {
      remove(): void {}
    }
    decorate(Service, 'remove', [Guard('write')])
    Injectable()(Service)
    await refuses(
      { providers: [Service] },
      /above Service\.remove, but Service\.remove handles no requests/,
    )

    class GuardedService {
      readonly name = 'service'
    }
    Guard()(GuardedService)
    await refuses(
      { providers: [GuardedService] },
      /above GuardedService, but GuardedService handles no requests/,
    )

    class Things {
      helper(): void {}
    }
    Controller()(Things)
    decorate(Things, 'helper', [Public()])
    await refuses(
      { controllers: [Things] },
      /above Things\.helper, but Things\.helper handles no requests/,
    )

    class Empty {
      readonly name = 'empty'
    }
    Controller('empty')(Empty)
    Guard()(Empty)
    await refuses({ controllers: [Empty] }, /above Empty, but Empty handles no requests/)
  })

  it('an app with guards on messages and GraphQL operations starts', async () => {
    class Handlers {
      get(): string {
        return 'handled'
      }
    }
    const keys = ['websockets:message_mapping', 'microservices:pattern', 'graphql:resolver_type']
    const providers = keys.map((key) => {
      class OfKey extends Handlers {
        override get(): string {
          return key
        }
      }
      decorate(OfKey, 'get', [SetMetadata(key, 'any'), Guard('read')])
      return OfKey
    })
    await start({ providers })
  })

  it('an app with @UseGuards(Guard) or @UseGuards(Guard(…)) does not start', async () => {
    for (const wrong of [Guard, Guard('read'), AnyOf, OptionalGuard] as readonly unknown[]) {
      const Things = controllerWith(UseGuards(wrong as CanActivate))
      await refuses({ controllers: [Things] }, /is not a constructor/)
    }
  })

  it('an app with a guarded GraphQL field does not start if GraphQL calls no guards', async () => {
    class Resolver {
      secret(): string {
        return 's'
      }
    }
    // The metadata of @ResolveField().
    decorate(Resolver, 'secret', [Guard('read'), SetMetadata('graphql:resolve_property', true)])
    const withOptions = (useValue: object): Parts => ({
      providers: [Resolver, { provide: 'GqlModuleOptions', useValue }],
    })
    const fix = "Fix: GraphQLModule.forRoot({ fieldResolverEnhancers: ['guards'], … })"
    const message = `@nestjs/graphql calls no guard for the field Resolver.secret. ${fix}`
    for (const without of [{}, { fieldResolverEnhancers: ['filters'] }])
      await assert.rejects(start(withOptions(without)), { name: 'TypeError', message })
    const guarded = withOptions({ fieldResolverEnhancers: ['guards'] })
    await start(guarded)
    await app?.close()

    // An app may have several GraphQL modules.
    const useValue = { fieldResolverEnhancers: [] }
    const other = moduleWith({ providers: [{ provide: 'GqlModuleOptions', useValue }] })
    await refuses({ ...guarded, imports: [other] }, /calls no guard for the field Resolver\.secret/)
  })

  it('if GraphQL calls no guards for fields, Nest starts only with unguarded fields', async () => {
    const providers = [true, false].map((isGuarded) => {
      class Resolver {
        item(): string {
          return 'item'
        }
      }
      // The metadata of @ResolveReference().
      decorate(Resolver, 'item', [SetMetadata('graphql:resolve_reference', true)])
      if (isGuarded) Guard('read')(Resolver)
      return Resolver
    })
    const options = { provide: 'GqlModuleOptions', useValue: {} }
    const [guarded, unguarded] = providers
    assert.ok(guarded && unguarded)
    await start({ providers: [unguarded, options] })
    await app?.close()
    await refuses({ providers: [guarded, options] }, /no guard for the field Resolver\.item/)
  })

  it('an app does not start if its useFactory rejects', async () => {
    const useFactory = (): Promise<never> => Promise.reject(new Error('no database'))
    const guards = KeystileModule.forRootAsync({ useFactory })
    await refuses({ controllers: [controllerWith(Guard())], guards }, /no database/)
  })
})

describe('the decorators of keystile/nest', () => {
  it('@Public() and @Guard above the same method throw, in either order', () => {
    for (const both of [
      [Public(), Guard()],
      [Guard('read'), Public()],
      [Public(), AnyOf('read')],
    ])
      assert.throws(() => controllerWith(...both), {
        name: 'TypeError',
        message: 'Things.get has both @Public() and a guard: remove one of them',
      })
  })

  it('a decorator throws if it is not above a class or a method', () => {
    class Things {
      readonly field = () => 'things'
      static make(): string {
        return 'things'
      }
    }
    const onField = (one: unknown): void => (one as PropertyDecorator)(Things.prototype, 'field')
    const either = 'must stand above a class or a method; it stands above'
    const wrong: readonly (readonly [use: () => unknown, message: string])[] = [
      [
        () => (Public() as unknown as ClassDecorator)(Things),
        '@Public(…) must stand above a method; it stands above a class',
      ],
      [() => onField(Public()), '@Public(…) must stand above a method; it stands above field'],
      [() => onField(Guard()), `@Guard(…) ${either} field`],
      [() => onField(AnyOf('read')), `@AnyOf(…) ${either} field`],
      [() => onField(OptionalGuard()), `@OptionalGuard(…) ${either} field`],
      [
        () => (Guard() as unknown as ParameterDecorator)(Things.prototype, 'get', 0),
        `@Guard(…) ${either} get`,
      ],
      [
        () => Guard()(Things, 'make', Object.getOwnPropertyDescriptor(Things, 'make') ?? {}),
        `@Guard(…) ${either} make`,
      ],
      [() => Reflect.apply(Guard(), undefined, [{}]), `@Guard(…) ${either} an object`],
    ]
    for (const [use, message] of wrong) assert.throws(use, { name: 'TypeError', message })
  })

  it('a decorator throws for wrong arguments, and if its parentheses are missing', () => {
    class Things {
      readonly name = 'things'
    }
    for (const use of [
      () => Guard({}),
      () => Guard({ maxAgeSeconds: 0 }),
      () => Guard({ verified: false as unknown as true }),
      () => AnyOf(),
      () => AnyOf([]),
      () => OptionalGuard(7 as unknown as string),
      () => Guard(Things as unknown as string),
    ])
      assert.throws(use, TypeError)
  })
})

describe('KeystileModule', () => {
  it('KeystileModule.forRoot refuses a promise and an unknown setting', () => {
    const promise = Promise.resolve(options) as unknown as typeof options
    assert.throws(
      () => KeystileModule.forRoot(promise),
      /Fix: KeystileModule\.forRoot\(await createKeystile/,
    )
    const misspelt = { openByDefalt: true } as ModuleSettings
    assert.throws(
      () => KeystileModule.forRoot(options, misspelt),
      /KeystileModule\.forRoot has no option `openByDefalt`/,
    )
  })

  it('KeystileModule.forRootAsync takes `openByDefault` and refuses unknown options', async () => {
    const asked = { useFactory: () => options, openByDefault: true }
    const guards = KeystileModule.forRootAsync(asked)
    const url = await start({ controllers: [controllerWith()], guards })
    assert.equal(await statusOf(`${url}/things`), 200)
    const misspelt = { ...asked, import: [] }
    assert.throws(
      () => KeystileModule.forRootAsync(misspelt),
      /KeystileModule\.forRootAsync has no option `import`/,
    )
  })

  it('KeystileModule refuses an `openByDefault` that is not true or false', () => {
    const settings = { openByDefault: 'false' as unknown as boolean }
    const expected = {
      name: 'TypeError',
      message: '`openByDefault` must be true or false; it is a string',
    }
    assert.throws(() => KeystileModule.forRoot(options, settings), expected)
    const asked = { useFactory: () => options, ...settings }
    assert.throws(() => KeystileModule.forRootAsync(asked), expected)
  })

  it('KeystileModule.forRootAsync passes the providers in `inject` to useFactory', async () => {
    class Settings {
      readonly declared = scopes
    }
    Injectable()(Settings)
    class SettingsModule {
      readonly name = 'settings'
    }
    Module({ providers: [Settings], exports: [Settings] })(SettingsModule)
    const guards = KeystileModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: ({ declared }: Settings) => ({ verifier: issuer.verifier, scopes: declared }),
    })
    const url = await start({ controllers: [controllerWith(Guard('read'))], guards })
    assert.deepEqual(
      [await statusOf(`${url}/things`, ''), await statusOf(`${url}/things`, 'read')],
      [403, 200],
    )
  })
})

describe('Nest handlers that do not answer HTTP', () => {
  class Things {
    get(caller: unknown): unknown {
      return caller
    }
    open(): string {
      return 'open'
    }
  }
  decorate(Things, 'get', [Guard('read')], [Caller()])
  decorate(Things, 'open', [Public()])

  const contextOf = (type: string, args: unknown[], method: 'get' | 'open'): ExecutionContext => {
    const context = new ExecutionContextHost(args, Things, Things.prototype[method])
    context.setType(type)
    return context
  }

  it('a guarded microservice handler always throws, but a public handler does not', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    assert.throws(() => guard.canActivate(contextOf('rpc', [{}], 'get')), /of the kind "rpc"/)
    assert.equal(guard.canActivate(contextOf('rpc', [{}], 'open')), true)
  })

  const requestWith = (headers: Record<string, string>): IncomingMessage => {
    const rawHeaders = Object.entries(headers).flat()
    return Object.assign(new IncomingMessage(new Socket()), { rawHeaders })
  }
  /** The arguments of a handler, as Apollo, Mercurius and socket.io pass the request in them. */
  const callsWith = (request: IncomingMessage): readonly [string, unknown[]][] => [
    ['graphql', [undefined, {}, { req: request }, {}]],
    ['graphql', [undefined, {}, { reply: { request: { raw: request } } }, {}]],
    // The arguments of @ResolveReference().
    ['graphql', [{ id: '7' }, { req: request }, {}]],
    ['ws', [{ request }, 'data']],
  ]

  it('a guard reads the HTTP request of a GraphQL context and of a WebSocket', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    const request = requestWith(issuer.headers({ subject: 'ada', scopes: ['read'] }))
    for (const [type, args] of callsWith(request)) {
      const context = contextOf(type, args, 'get')
      assert.equal(await guard.canActivate(context), true)
      assert.equal(getCaller<typeof options>(context).identity.subject, 'ada')
    }
  })

  it('a guard checks each message of a WebSocket again', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    const login = { scopes: ['read'], sessionId: 'ended-later' }
    const context = contextOf('ws', [{ request: requestWith(issuer.headers(login)) }, 'x'], 'get')
    assert.equal(await guard.canActivate(context), true)
    issuer.revoke(login.sessionId)
    await assert.rejects(async () => guard.canActivate(context), /revoked/)
  })

  it('getCaller throws for a message that no guard checks, also after a guarded message', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    const client = { request: requestWith(issuer.headers({ scopes: ['read'] })) }
    assert.equal(await guard.canActivate(contextOf('ws', [client, 'x'], 'get')), true)
    const open = contextOf('ws', [client, 'x'], 'open')
    assert.equal(await guard.canActivate(open), true)
    assert.throws(() => getCaller(open), /no guard ran for this handler/)
  })

  it('a guard refuses a GraphQL operation or a message with an error', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    const message = 'Not authenticated'
    const code = 'not_authenticated'
    for (const [type, args] of callsWith(requestWith({})))
      await assert.rejects(
        async () => guard.canActivate(contextOf(type, args, 'get')),
        type === 'ws'
          ? new WsException({ status: 'error', message, code })
          : new HttpException({ statusCode: 401, message, error: code }, 401),
      )
  })

  it('a guard throws if a GraphQL context or a WebSocket has no HTTP request', async () => {
    await start({})
    const guard = new KeystileGuard(getGuards())
    for (const [type, args] of [
      ['graphql', [undefined, {}, {}, {}]],
      ['graphql', [undefined, {}, { req: {} }, {}]],
      ['ws', [{}, 'data']],
    ] as const)
      assert.throws(
        () => guard.canActivate(contextOf(type, [...args], 'get')),
        /finds no HTTP request/,
      )
  })
})

function getGuards(): Guards {
  assert.ok(app)
  return app.get<Guards>(guardsToken, { strict: false })
}
