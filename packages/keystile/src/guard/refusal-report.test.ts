import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../base/clock.ts'
import { TokenError } from '../base/errors.ts'
import { silentLogger } from '../base/log.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken } from '../token/access-token.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuardCore } from './guard.ts'
import type { RefusedRequest } from './refusal-report.ts'
import { createVerifier, type VerifierOptions } from './verifier.ts'

const key = generateKey('ES256')
const createTestVerifier = (more: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuer: 'i',
    audience: 'a',
    keys: keySetOf([key]),
    revocations: 'none',
    ...more,
  })
const content = { issuer: 'i', audience: 'a', subject: 'ada', clientId: 'c', scopes: [] }
const token = issueAccessToken(content, key, 600, systemClock)
const requestWith = (authorization: string): Request =>
  new Request('http://localhost/', { method: 'POST', headers: { authorization } })

/** Lets a guard with these options refuse a request. Returns the status of its answer. */
async function refuse(
  options: Omit<GuardOptions<string, undefined>, 'verifier'>,
): Promise<number | undefined> {
  const core = createGuardCore<string, undefined>({ verifier: createTestVerifier(), ...options })
  const decision = await core.check(requestWith('Bearer abc'), core.demand([], false))
  return decision.allowed ? undefined : decision.answer.status
}

describe('onRefused of guards', () => {
  it('onRefused is not called for an admitted request', async () => {
    const onRefused = mock.fn()
    const core = createGuardCore({ verifier: createTestVerifier(), onRefused })
    const demand = core.demand([], true)
    assert.ok((await core.check(requestWith(`Bearer ${token}`), demand)).allowed)
    assert.ok((await core.check(new Request('http://localhost/'), demand)).allowed)
    assert.ok((await core.enter({}, requestWith(`Bearer ${token}`), demand)).allowed)
    assert.equal(onRefused.mock.callCount(), 0)
  })

  it('onRefused gets the route, which is looked up only when a request is refused', async () => {
    const refused: RefusedRequest[] = []
    const onRefused = (told: RefusedRequest): void => void refused.push(told)
    const core = createGuardCore({ verifier: createTestVerifier(), onRefused })
    const routeOf = mock.fn(() => '/items/:id')
    await core.enter({}, requestWith(`Bearer ${token}`), core.demand([], false), routeOf)
    assert.equal(routeOf.mock.callCount(), 0)

    await core.enter({}, requestWith('Bearer abc'), core.demand([], false), routeOf)
    assert.deepEqual(refused, [
      { code: 'invalid_token', reason: 'malformed_token', method: 'POST', route: '/items/:id' },
    ])
  })

  it('an error of onRefused is logged and does not change the answer', async () => {
    const error = new Error('the metrics are away')
    for (const onRefused of [
      () => {
        throw error
      },
      () => Promise.reject(error),
    ]) {
      const logError = mock.fn()
      assert.equal(await refuse({ onRefused, logger: { ...silentLogger, error: logError } }), 401)
      await setImmediate()
      assert.deepEqual(
        logError.mock.calls.map(({ arguments: args }) => args),
        [[{ err: error }, 'onRefused failed']],
      )
    }
  })

  it('an error of onRefused is printed to standard error if there is no logger', async (t) => {
    const { mock: written } = t.mock.method(console, 'error', () => {})
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    for (const thrown of [new Error('the metrics are away'), cyclic]) {
      const onRefused = (): never => {
        throw thrown
      }
      assert.equal(await refuse({ onRefused }), 401)
    }
    assert.deepEqual(
      written.calls.map(({ arguments: [text] }) => text),
      ['keystile: onRefused failed', 'keystile: onRefused failed'],
    )
  })

  it('onRefused gets the guard’s options as `this`, and the logger logs the refusal', async () => {
    class App {
      readonly refused: string[] = []
      readonly logged: string[] = []
      readonly verifier = createTestVerifier()
      onRefused({ reason }: RefusedRequest): void {
        this.refused.push(reason)
      }
      readonly logger = {
        ...silentLogger,
        debug: (_: object, message: string): void => void this.logged.push(message),
      }
    }
    const app = new App()
    const core = createGuardCore(app)
    await core.check(requestWith('Bearer abc'), core.demand([], false))
    assert.deepEqual([app.refused, app.logged], [['malformed_token'], ['refused']])
  })

  for (const [what, options] of [
    ['onRefused', { onRefused: 'log' }],
    ['logger', { logger: {} }],
    ['logger', { logger: console.log }],
    ['logger', { logger: null }],
  ] as const) {
    it(`guards and verifiers refuse ${JSON.stringify(options)}: ${what} is wrong`, async () => {
      const wrong = options as object
      await assert.rejects(
        refuse(wrong),
        new RegExp(`^TypeError: the option \`${what}\` of createG`),
      )
      assert.throws(
        () => createTestVerifier(wrong),
        /^TypeError: the option `\w+` of createVerifier/,
      )
    })
  }
})

describe('onRefused of verifiers', () => {
  it('onRefused of a verifier gets the reason for each refused token, but no route', async () => {
    const onRefused = mock.fn()
    const debug = mock.fn()
    const verifier = createTestVerifier({ onRefused, logger: { ...silentLogger, debug } })
    await verifier.verify(token)
    await assert.rejects(verifier.verify('abc'), TokenError)
    await assert.rejects(verifier.verify(token, { maxAgeSeconds: 60 }), TokenError)

    const told = [
      { code: 'invalid_token', reason: 'malformed_token' },
      { code: 'insufficient_user_authentication', reason: 'login_too_old' },
    ].map((why) => ({ ...why, method: undefined, route: undefined }))
    assert.deepEqual(
      onRefused.mock.calls.map(({ arguments: [first] }) => first),
      told,
    )
    assert.deepEqual(
      debug.mock.calls.map(({ arguments: [{ code, reason }] }) => [code, reason]),
      told.map(({ code, reason }) => [code, reason]),
    )
  })

  it('verify() with a wrong argument throws an error, and does not call onRefused', async () => {
    const onRefused = mock.fn()
    const verifier = createTestVerifier({ onRefused })
    await assert.rejects(verifier.verify(token, { maxAgeSeconds: -1 }), TypeError)
    assert.equal(onRefused.mock.callCount(), 0)
  })

  it('verify() passes on an error of isRevoked, and does not call onRefused', async () => {
    const onRefused = mock.fn()
    const isRevoked = (): never => {
      throw new RangeError('a bug of the app')
    }
    const revocations = { state: 'current', isRevoked, refresh: async () => {} } as const
    const verifier = createTestVerifier({ onRefused, revocations })
    await assert.rejects(verifier.verify(token), RangeError)
    assert.equal(onRefused.mock.callCount(), 0)
  })
})

describe('the messages for wrong options of guards and verifiers', () => {
  it('the error of createGuard says what to do if `await` or the verifier is missing', () => {
    const create = (options: unknown) => (): unknown => createGuardCore(options as never)
    assert.throws(create(Promise.resolve()), {
      message:
        'the argument of createGuard() must be the object from createKeystile(); it is a promise. ' +
        'Fix: createGuard(await createKeystile(…))',
    })
    assert.throws(create({}), {
      message:
        'a guard must have a verifier. Fix: pass { verifier: createVerifier(…) }, or the ' +
        'object from createKeystile()',
    })
  })

  it('the error for a wrong logger or issuer shows the wrong value', () => {
    assert.throws(() => createTestVerifier({ logger: 7 as never }), {
      message:
        'the option `logger` of createVerifier must be an object with the methods debug, info, warn ' +
        'and error; it is 7',
    })
    assert.throws(() => createTestVerifier({ issuer: 7 as never }), {
      message:
        '`issuer` must be the exact "iss" of the tokens: a string, or an array of different ' +
        'strings; it is 7',
    })
  })
})
