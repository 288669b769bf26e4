// Builds the app that app.ts describes, in Nest on Express or on Fastify. Decorators are called as
// functions, because Node does not support their syntax.
import 'reflect-metadata'
import type { RequestListener } from 'node:http'
import {
  All,
  Catch,
  Controller,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestInterceptor,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import express from 'express'
import { mount as mountInExpress } from 'keystile/express'
import { mount as mountInFastify } from 'keystile/fastify'
import {
  AnyOf,
  Caller,
  Guard,
  KeystileModule,
  OptionalCaller,
  OptionalGuard,
  Public,
  type CallerOf,
} from 'keystile/nest'
import { from, switchMap, type Observable } from 'rxjs'
import type { MakeApp, Table } from './app.ts'
import type { Mounted, MountIn } from './mounted.ts'

type Me = CallerOf<Table['options']>
export type Platform = 'Express' | 'Fastify'

/** Applies decorators to a method, and to its parameters from the first. */
export function decorate<T extends object>(
  type: new (...args: never) => T,
  method: keyof T & string,
  decorators: readonly MethodDecorator[],
  parameters: readonly ParameterDecorator[] = [],
): void {
  const { prototype } = type as { readonly prototype: object }
  for (const [index, one] of parameters.entries()) one(prototype, method, index)
  for (const one of decorators.toReversed())
    one(prototype, method, Object.getOwnPropertyDescriptor(prototype, method)!)
}

function createControllers({ answer, verified }: Table): readonly (new () => object)[] {
  class Items {
    list(caller: Me): object {
      return answer('items', caller)
    }
    add(caller: Me): object {
      return answer('items/new', caller)
    }
    any(caller: Me): object {
      return answer('any', caller)
    }
    me(caller: Me): object {
      return answer('me', caller)
    }
    news(caller: Me | undefined): object {
      return answer('news', caller)
    }
    strict(caller: Me): object {
      return answer('news/strict', caller)
    }
    recent(caller: Me): object {
      return answer('recent', caller)
    }
    verified(caller: Me): object {
      return answer('verified', caller)
    }
    verifiedAny(caller: Me): object {
      return answer('verified/any', caller)
    }
    verifiedNews(caller: Me | undefined): object {
      return answer('verified/news', caller)
    }
    strong(caller: Me): object {
      return answer('strong', caller)
    }
    secret(): object {
      return answer('secret', undefined)
    }
    open(caller: Me): object {
      return answer('open', caller)
    }
    throws(): never {
      throw new Error('inside')
    }
    after(caller: Me, { body }: { readonly body?: unknown }): object {
      return answer('parsed/after', caller, body)
    }
    before(caller: Me, { body }: { readonly body?: unknown }): object {
      return answer('parsed/before', caller, body)
    }
  }
  Controller()(Items)
  decorate(Items, 'list', [All('items'), HttpCode(200), Guard('items:read')], [Caller()])
  decorate(Items, 'add', [All('items/new'), HttpCode(200), Guard('items:write')], [Caller()])
  const any = AnyOf('items:write', ['items:read', 'items:list'])
  decorate(Items, 'any', [All('any'), HttpCode(200), any], [Caller()])
  decorate(Items, 'me', [Get('me')], [Caller()])
  decorate(Items, 'news', [Get('news'), Public(), OptionalGuard()], [OptionalCaller()])
  decorate(Items, 'strict', [Get('news/strict'), Public(), OptionalGuard()], [Caller()])
  const recent = Guard({ scopes: ['items:read'], maxAgeSeconds: 300 })
  decorate(Items, 'recent', [Get('recent'), recent], [Caller()])
  decorate(Items, 'strong', [Get('strong'), Guard({ acr: 'mfa' })], [Caller()])
  decorate(Items, 'verified', [Get('verified'), Guard(...verified)], [Caller()])
  decorate(Items, 'verifiedAny', [Get('verified/any'), any, Guard(...verified)], [Caller()])
  const optional = [Get('verified/news'), Public(), OptionalGuard(...verified)]
  decorate(Items, 'verifiedNews', optional, [OptionalCaller()])
  decorate(Items, 'secret', [Get('secret')])
  decorate(Items, 'open', [Get('open'), Public()], [Caller()])
  decorate(Items, 'throws', [Get('throws')])
  const after = [Post('parsed/after'), HttpCode(200), UseInterceptors(new ParseBody())]
  decorate(Items, 'after', after, [Caller(), Req()])
  decorate(Items, 'before', [Post('parsed/before'), HttpCode(200)], [Caller(), Req()])

  class Area {
    read(caller: Me): object {
      return answer('area/read', caller)
    }
    write(caller: Me): object {
      return answer('area/write', caller)
    }
    recent(caller: Me): object {
      return answer('area/recent', caller)
    }
    strong(caller: Me): object {
      return answer('area/strong', caller)
    }
    news(caller: Me): object {
      return answer('area/news', caller)
    }
    verified(caller: Me): object {
      return answer('area/verified', caller)
    }
  }
  Controller('area')(Area)
  Guard('items:read')(Area)
  decorate(Area, 'read', [Get('read')], [Caller()])
  decorate(Area, 'write', [Get('write'), Guard('items:write')], [Caller()])
  decorate(Area, 'recent', [Get('recent'), Guard({ maxAgeSeconds: 300 })], [Caller()])
  const strong = Guard({ acr: 'mfa', maxAgeSeconds: 300 })
  decorate(Area, 'strong', [Get('strong'), strong], [Caller()])
  decorate(Area, 'verified', [Get('verified'), Guard(...verified)], [Caller()])
  decorate(Area, 'news', [Get('news'), OptionalGuard()], [OptionalCaller()])

  // Optional for all, as other frameworks have it for a router.
  class Lounge {
    anybody(caller: Me | undefined): object {
      return answer('lounge/anybody', caller)
    }
    members(caller: Me): object {
      return answer('lounge/members', caller)
    }
  }
  Controller('lounge')(Lounge)
  OptionalGuard()(Lounge)
  decorate(Lounge, 'anybody', [Get('anybody'), Public(), OptionalGuard()], [OptionalCaller()])
  decorate(Lounge, 'members', [Get('members'), Guard()], [Caller()])

  return [Items, Area, Lounge]
}

/** Parses a body after the guard: Nest runs interceptors after guards. */
class ParseBody implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp()
    const request = http.getRequest<{ body: unknown; raw?: unknown }>()
    const raw = request.raw ?? request
    const parsing = new Promise<void>((resolve, reject) =>
      express.json()(raw as express.Request, http.getResponse(), (error) =>
        error ? reject(error) : resolve(),
      ),
    ).then(() => {
      request.body = (raw as express.Request).body
    })
    return from(parsing).pipe(switchMap(() => next.handle()))
  }
}

/** The members that a response of Express and a reply of Fastify share. */
interface Response {
  status(status: number): { send(body: object): void }
}

/** The app's own error handler. */
const createFilter = (fail: Table['fail']): ExceptionFilter => {
  class Failed implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      const { status } = Object(error) as { readonly status?: number }
      const response = host.switchToHttp().getResponse<Response>()
      // Nest throws an error with a status for a path without a route.
      const body = status === 404 ? { missing: true } : fail(error)
      response.status(status === 404 ? 404 : 500).send(body)
    }
  }
  Catch()(Failed)
  return new Failed()
}

export const makeNestApp =
  (platform: Platform): MakeApp =>
  async (table) => {
    const { options, fail } = table
    class App {
      configure(consumer: MiddlewareConsumer): void {
        if (platform === 'Express') consumer.apply(express.json()).forRoutes('parsed/before')
      }
    }
    Module({
      imports: [KeystileModule.forRoot(options)],
      controllers: [...createControllers(table)],
    })(App)

    const quiet = { logger: false, bodyParser: false } as const
    const app: INestApplication =
      platform === 'Express'
        ? await NestFactory.create<NestExpressApplication>(App, quiet)
        : await createFastify(App)
    app.useGlobalFilters(createFilter(fail))
    return listenerOf(app, platform)
  }

/** On Fastify, Nest has the body parsed before its guards run, except where the app prevents it. */
async function createFastify(type: new () => object): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(type, new FastifyAdapter(), {
    logger: false,
    bodyParser: false,
  })
  const fastify = app.getHttpAdapter().getInstance()
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (request, payload, done) => {
    if (request.url !== '/parsed/before') return done(null)
    let text = ''
    payload.on('data', (chunk: Buffer) => (text += chunk.toString()))
    payload.on('end', () => done(null, JSON.parse(text)))
  })
  return app
}

/** Ways to mount Keystile in Nest on Express. */
export const nestExpressMounts: Readonly<Record<string, MountIn>> = {
  'before the parsers of Nest': (keystile) =>
    mountIn(keystile, 'Express', (app) => app.use(mountInExpress(keystile))),
}

/** Ways to mount Keystile in Nest on Fastify. */
export const nestFastifyMounts: Readonly<Record<string, MountIn>> = {
  'as a plugin': (keystile) =>
    mountIn(keystile, 'Fastify', async (app) => {
      await (app as NestFastifyApplication).register(mountInFastify(keystile))
    }),
}

async function mountIn(
  keystile: Mounted,
  platform: Platform,
  mount: (app: INestApplication) => unknown,
): Promise<RequestListener> {
  class Items {
    list({ user }: CallerOf<Mounted>): object {
      return { owner: user.username }
    }
    echo({ body }: { readonly body?: unknown }): unknown {
      return body
    }
    own(): object {
      return { own: true }
    }
  }
  Controller()(Items)
  decorate(Items, 'list', [Get('items'), Guard('items:read')], [Caller()])
  decorate(Items, 'echo', [Post('echo'), HttpCode(200), Public()], [Req()])
  decorate(Items, 'own', [Post('auth/own'), HttpCode(200), Public()])
  class App {
    readonly name = 'app'
  }
  Module({ imports: [KeystileModule.forRoot(keystile)], controllers: [Items] })(App)

  const app =
    platform === 'Express'
      ? await NestFactory.create<NestExpressApplication>(App, { logger: false })
      : await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), {
          logger: false,
        })
  await mount(app)
  app.useGlobalFilters(createFilter(() => ({ failed: 'Error' })))
  return listenerOf(app, platform)
}

/** Returns the listener of an app, without listening. */
async function listenerOf(app: INestApplication, platform: Platform): Promise<RequestListener> {
  await app.init()
  if (platform === 'Express') return app.getHttpAdapter().getInstance() as express.Express
  const fastify = (app as NestFastifyApplication).getHttpAdapter().getInstance()
  await fastify.ready()
  return (request, response) => fastify.routing(request, response)
}
