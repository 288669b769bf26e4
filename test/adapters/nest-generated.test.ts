// Generates controllers with any combination of the decorators, on classes, methods, inherited and
// overridden methods. Under the guard of KeystileModule, only @Public() opens a route, and a route
// admits exactly the callers that meet all demands.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Controller, Get, Module, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import fc from 'fast-check'
import { AnyOf, Guard, KeystileModule, OptionalGuard, Public } from 'keystile/nest'
import { createTestIssuer } from 'keystile/testing'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
/** How many apps the tests generate with guards, and without guards. */
const [guarded, open] = isLong ? [60, 20] : [20, 5]

const issuer = createTestIssuer()
const options = { verifier: issuer.verifier, scopes: { a: 'A', b: 'B' } }

/** Each decorator with its demand, written down a second time. */
const guards = {
  token: { make: () => Guard(), alternatives: [[]], optional: false },
  a: { make: () => Guard('a'), alternatives: [['a']], optional: false },
  ab: { make: () => Guard({ scopes: ['a', 'b'] }), alternatives: [['a', 'b']], optional: false },
  either: { make: () => AnyOf('a', ['b']), alternatives: [['a'], ['b']], optional: false },
  optional: { make: () => OptionalGuard(), alternatives: [[]], optional: true },
  optionalB: { make: () => OptionalGuard('b'), alternatives: [['b']], optional: true },
} as const
type GuardName = keyof typeof guards

interface Method {
  readonly guards: readonly GuardName[]
  readonly isPublic: boolean
}

/** A class, which extends the class of the level before it. */
interface Level {
  readonly guards: readonly GuardName[]
  /** The methods that this class writes. */
  readonly methods: Readonly<Partial<Record<'one' | 'two', Method>>>
}

const names = Object.keys(guards) as readonly GuardName[]
const guardList = fc.subarray([...names], { maxLength: 2 })
const method: fc.Arbitrary<Method> = fc.oneof(
  guardList.map((guards) => ({ guards, isPublic: false })),
  fc.subarray<GuardName>(['optional', 'optionalB']).map((guards) => ({ guards, isPublic: true })),
)
const level = (requiredKeys: ('one' | 'two')[]): fc.Arbitrary<Level> =>
  fc.record({
    guards: guardList,
    methods: fc.record({ one: method, two: method }, { requiredKeys }),
  })
const controllers = fc.array(
  fc
    .tuple(level(['one', 'two']), fc.array(level([]), { maxLength: 2 }))
    .map(([first, others]) => [first, ...others]),
  { minLength: 4, maxLength: 4 },
)

function createController(levels: readonly Level[], path: string): new () => object {
  let type: new () => object = Object
  for (const { guards: ofClass, methods } of levels) {
    type = class extends type {}
    for (const [name, { guards: ofMethod, isPublic }] of Object.entries(methods)) {
      const descriptor = { value: () => 'open', configurable: true, writable: true }
      Object.defineProperty(type.prototype, name, descriptor)
      const decorators = [
        Get(name),
        ...ofMethod.map((one) => guards[one].make()),
        ...(isPublic ? [Public()] : []),
      ]
      for (const one of decorators) one(type.prototype, name, descriptor)
    }
    for (const one of ofClass) guards[one].make()(type)
  }
  Controller(path)(type)
  return type
}

async function startApp(all: readonly (readonly Level[])[], isFastify: boolean) {
  class App {
    readonly name = 'app'
  }
  Module({
    imports: [KeystileModule.forRoot(options)],
    controllers: all.map((levels, i) => createController(levels, String(i))),
  })(App)
  const quiet = { logger: false, abortOnError: false } as const
  const app: INestApplication = isFastify
    ? await NestFactory.create(App, new FastifyAdapter(), quiet)
    : await NestFactory.create(App, quiet)
  await app.listen(0, '127.0.0.1')
  return app
}

/** Returns the status that a caller must get. `undefined` is a request without a token. */
function expected(
  levels: readonly Level[],
  name: 'one' | 'two',
  held: readonly string[] | undefined,
): number {
  const written = levels.flatMap(({ methods }) => methods[name] ?? [])
  const own = written.at(-1)
  assert.ok(own)
  const demands: readonly GuardName[] = own.isPublic
    ? own.guards
    : ['token', ...levels.flatMap((one) => one.guards), ...written.flatMap((one) => one.guards)]
  const all = demands.map((one) => guards[one])
  if (held === undefined) return all.every(({ optional }) => optional) ? 200 : 401
  const isMet = all.every(({ alternatives }) =>
    alternatives.some((scopes) => scopes.every((scope) => held.includes(scope))),
  )
  return isMet ? 200 : 403
}

const callers = [undefined, [], ['a'], ['b'], ['a', 'b']] as const
const routes = ['one', 'two'] as const

async function checkAll(all: readonly (readonly Level[])[], isFastify: boolean): Promise<void> {
  const app = await startApp(all, isFastify)
  try {
    const url = await app.getUrl()
    for (const [i, levels] of all.entries())
      for (const name of routes)
        for (const scopes of callers) {
          const headers = scopes && issuer.headers({ scopes })
          const { status } = await fetch(`${url}/${i}/${name}`, headers && { headers })
          assert.equal(status, expected(levels, name, scopes), `${i}/${name} ${String(scopes)}`)
          const own = levels.flatMap(({ methods }) => methods[name] ?? []).at(-1)
          if (!scopes) assert.equal(status === 200, own?.isPublic)
        }
  } finally {
    await app.close()
  }
}

/** The same controllers without any guard. What is public stays public. */
const withoutGuards = (levels: readonly Level[]): readonly Level[] =>
  levels.map(({ methods }) => ({
    guards: [],
    methods: Object.fromEntries(
      Object.entries(methods).map(([name, { isPublic }]) => [name, { guards: [], isPublic }]),
    ),
  }))

describe('generated controllers in Nest with random guards', () => {
  it('a Nest route without @Public() admits only callers whom all its guards admit', async () => {
    await fc.assert(fc.asyncProperty(controllers, fc.boolean(), checkAll), { numRuns: guarded })
  })

  it('a Nest route without @Guard needs a token unless the route has @Public()', async () => {
    await fc.assert(
      fc.asyncProperty(controllers, fc.boolean(), (all, isFastify) =>
        checkAll(all.map(withoutGuards), isFastify),
      ),
      { numRuns: open },
    )
  })
})
