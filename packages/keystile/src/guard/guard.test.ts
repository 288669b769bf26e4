import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { TokenError } from '../base/errors.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken } from '../token/access-token.ts'
import { decodeJwtUnsafe } from '../token/jwt.ts'
import { joinDemands, type Demand } from './demand.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuardCore, requireCaller, type Decision, type GuardCore } from './guard.ts'
import type { Identity } from './identity.ts'
import { withRecall } from './user-recall.ts'
import { isUserObject } from './user.ts'
import { createVerifier, type Verifier } from './verifier.ts'

const clock = { now: () => 1_800_000_000_000 }
const key = generateKey('ES256')
const issuer = 'https://auth.example'
const audience = 'https://api.example'
const verifier = createVerifier({
  issuer,
  audience,
  keys: keySetOf([key]),
  revocations: 'none',
  clock,
})

const declared = { 'items:read': 'Read items', 'items:write': 'Change items' }
type Scope = keyof typeof declared

const tokenWith = (...scopes: readonly string[]): string => {
  const who = {
    issuer,
    audience,
    subject: 'alice',
    clientId: 'app',
    sessionId: 's1',
    authenticatedAt: clock.now(),
  }
  return issueAccessToken({ ...who, scopes }, key, 600, clock)
}

const request = (authorization?: string, path = '/'): Request =>
  new Request(
    `http://localhost${path}`,
    authorization === undefined ? {} : { headers: { authorization } },
  )

const core = createGuardCore<Scope, undefined>({ verifier, scopes: declared })

interface Refusal {
  readonly status: number
  readonly challenge: string | undefined
  readonly detail: unknown
}

/** Returns the parts of the answer that a refused caller sees. */
function refusal<S extends string, U>(decision: Decision<S, U, undefined>): Refusal {
  assert.equal(decision.allowed, false)
  const { status, headers, body } = (decision as Decision<S, U, undefined> & { allowed: false })
    .answer
  return { status, challenge: headers['www-authenticate'], detail: JSON.parse(body ?? '').detail }
}

const check = (
  authorization: string | undefined,
  scopes: readonly Scope[] = [],
  optional = false,
) => core.check(request(authorization), core.demand([...scopes], optional))

describe('check()', () => {
  it('check() admits a token that has all the demanded scopes', async () => {
    const decision = await check(`Bearer ${tokenWith('items:read', 'items:write')}`, [
      'items:write',
      'items:read',
    ])
    assert.ok(decision.allowed)
    assert.equal(decision.caller?.identity.subject, 'alice')
    assert.equal(decision.caller?.user, undefined)
    assert.ok((await check(`bearer ${tokenWith()}`)).allowed)
  })

  it('check() sends no error code if the request has no token (RFC 6750 §3.1)', async () => {
    for (const authorization of [undefined, 'Basic eDp5', 'DPoP abc']) {
      assert.deepEqual(refusal(await check(authorization)), {
        status: 401,
        challenge: 'Bearer realm="https://auth.example"',
        detail: 'Not authenticated',
      })
    }
  })

  it('check() returns invalid_token for a bad token (RFC 6750 §3.1)', async () => {
    for (const token of [
      'abc',
      'a.b.c',
      `${tokenWith()}x`,
      `${tokenWith().slice(0, -9)}AAAAAAAAA`,
    ]) {
      assert.deepEqual(refusal(await check(`Bearer ${token}`)), {
        status: 401,
        challenge:
          'Bearer realm="https://auth.example", error="invalid_token", ' +
          'error_description="Invalid token"',
        detail: 'Invalid token',
      })
    }
  })

  it('check() says that an expired token has expired', async () => {
    const late = { now: () => clock.now() - 3_600_000 }
    const content = {
      issuer,
      audience,
      subject: 'a',
      clientId: 'c',
      sessionId: 's',
      scopes: [],
      authenticatedAt: 0,
    }
    const token = issueAccessToken(content, key, 600, late)
    assert.deepEqual(refusal(await check(`Bearer ${token}`)), {
      status: 401,
      challenge:
        'Bearer realm="https://auth.example", error="invalid_token", ' +
        'error_description="Token has expired"',
      detail: 'Token has expired',
    })
  })

  it('check() returns 403 and the needed scopes if any is missing (RFC 6750 §3.1)', async () => {
    for (const scopes of [
      [],
      ['items:read'],
      ['items:writ'],
      ['items:write:all'],
      ['ITEMS:WRITE'],
    ]) {
      const { status, challenge } = refusal(
        await check(`Bearer ${tokenWith(...scopes)}`, ['items:read', 'items:write']),
      )
      assert.equal(status, 403)
      assert.match(
        challenge ?? '',
        /^Bearer realm="https:\/\/auth.example", error="insufficient_scope", /,
      )
      assert.match(challenge ?? '', /, scope="items:read items:write"$/)
    }
  })

  it('check() returns 400 for a malformed credential (RFC 6750 §3.1)', async () => {
    for (const authorization of [
      'Bearer',
      'Bearer a b',
      `Bearer ${tokenWith()}, Bearer ${tokenWith()}`,
    ]) {
      const { status, challenge } = refusal(await check(authorization, ['items:read']))
      assert.equal(status, 400)
      assert.match(challenge ?? '', /error="invalid_request"/)
    }
  })

  it('check() returns 401, not 403, for a bad or missing token', async () => {
    assert.equal(refusal(await check('Bearer abc', ['items:write'])).status, 401)
    assert.equal(refusal(await check(undefined, ['items:write'])).status, 401)
  })

  it('check() ignores tokens in query and cookies (RFC 6750 §5.3, RFC 9700 §4.3.2)', async () => {
    const token = tokenWith()
    const sneaky = new Request(`http://localhost/?access_token=${token}&token=${token}`, {
      headers: { cookie: `access_token=${token}`, 'x-access-token': token },
    })
    assert.equal(
      refusal(await core.check(sneaky, core.demand([], false))).detail,
      'Not authenticated',
    )
  })

  it('the answer of check() contains no part of the request', async () => {
    const decision = await core.check(
      request('Bearer hunter2"<b>', '/hunter2'),
      core.demand([], false),
    )
    assert.equal(decision.allowed, false)
    assert.doesNotMatch(JSON.stringify(decision), /hunter2/)
  })

  it('check() returns 503 with Retry-After while revocations are unknown', async () => {
    const revocations = {
      state: 'starting',
      isRevoked: () => false,
      refresh: async () => {},
    } as const
    const starting = createVerifier({ issuer, audience, keys: keySetOf([key]), revocations, clock })
    const guard = createGuardCore({ verifier: starting })
    const decision = await guard.check(request(`Bearer ${tokenWith()}`), guard.demand([], false))
    assert.equal(refusal(decision).status, 503)
    assert.ok(!decision.allowed)
    assert.equal(decision.error.code, 'temporarily_unavailable')
    assert.deepEqual(decision.answer.headers, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '1',
    })
  })
})

describe('check() with an optional guard', () => {
  it('an optional guard admits a request without a token; `caller` is then undefined', async () => {
    for (const authorization of [undefined, 'Basic eDp5']) {
      assert.deepEqual(await check(authorization, ['items:read'], true), {
        allowed: true,
        caller: undefined,
      })
    }
  })

  it('an optional guard throws if the app’s verifier returns undefined for a token', async () => {
    const broken = { ...verifier, verify: (() => undefined) as unknown as Verifier['verify'] }
    const guard = createGuardCore<string, undefined>({ verifier: broken })
    const request = {
      method: 'GET',
      url: '/',
      headers: new Headers({ authorization: 'Bearer abc' }),
    }
    await assert.rejects(guard.check(request, guard.demand([], true)), TypeError)
  })

  it('an optional guard refuses every wrong credential', async () => {
    assert.equal(refusal(await check('Bearer abc', [], true)).status, 401)
    assert.equal(refusal(await check('Bearer', [], true)).status, 400)
    assert.equal(refusal(await check(`Bearer ${tokenWith()}`, ['items:read'], true)).status, 403)
  })

  it('an optional guard returns the caller of a valid token', async () => {
    const decision = await check(`Bearer ${tokenWith('items:read')}`, ['items:read'], true)
    assert.ok(decision.allowed)
    assert.equal(decision.caller?.identity.subject, 'alice')
  })
})

describe('check() of a guard with maxAgeSeconds', () => {
  const tokenAged = (seconds: number, ...scopes: readonly string[]): string => {
    const authenticatedAt = clock.now() - seconds * 1000
    const content = {
      issuer,
      audience,
      subject: 'alice',
      clientId: 'app',
      sessionId: 's1',
      scopes,
      authenticatedAt,
    }
    return issueAccessToken(content, key, 600, clock)
  }
  const recent = core.demand([{ scopes: ['items:write'], maxAgeSeconds: 300 }], false)

  it('with maxAgeSeconds and scopes, a guard demands a recent login and these scopes', async () => {
    assert.ok(
      (await core.check(request(`Bearer ${tokenAged(300, 'items:write')}`), recent)).allowed,
    )
    assert.equal(refusal(await core.check(request(`Bearer ${tokenAged(10)}`), recent)).status, 403)
  })

  it('a guard checks maxAgeSeconds before the scopes (RFC 9470 §3)', async () => {
    for (const token of [tokenAged(306, 'items:write'), tokenAged(306)]) {
      assert.deepEqual(refusal(await core.check(request(`Bearer ${token}`), recent)), {
        status: 401,
        challenge:
          'Bearer realm="https://auth.example", error="insufficient_user_authentication", ' +
          'error_description="A more recent login is needed", max_age="300"',
        detail: 'A more recent login is needed',
      })
    }
  })

  it('a guard and an optional guard can demand maxAgeSeconds without scopes', async () => {
    const young = core.demand([{ maxAgeSeconds: 300 }], false)
    assert.ok((await core.check(request(`Bearer ${tokenAged(300)}`), young)).allowed)
    assert.equal(refusal(await core.check(request(`Bearer ${tokenAged(306)}`), young)).status, 401)
    const optional = core.demand([{ maxAgeSeconds: 300 }], true)
    assert.ok((await core.check(request(), optional)).allowed)
    assert.equal(
      refusal(await core.check(request(`Bearer ${tokenAged(306)}`), optional)).status,
      401,
    )
  })
})

describe('check() of a guard with acr', () => {
  const tokenOf = (login: { readonly acr?: string; readonly ageSeconds?: number }): string => {
    const { acr, ageSeconds = 0 } = login
    const who = { subject: 'alice', clientId: 'app', sessionId: 's1', scopes: [] }
    const authenticatedAt = clock.now() - ageSeconds * 1000
    const content = { issuer, audience, ...who, authenticatedAt, ...(acr && { acr }) }
    return issueAccessToken(content, key, 600, clock)
  }
  const answer = async (token: string, ...demands: readonly Demand<Scope>[]): Promise<Refusal> => {
    const carrier = {}
    let decision: Decision<Scope, undefined, undefined> | undefined
    for (const demand of demands) {
      decision = await core.enter(carrier, request(`Bearer ${token}`), demand)
      if (!decision.allowed) break
    }
    assert.ok(decision && !decision.allowed, 'a guard must refuse the token')
    return refusal(decision)
  }
  const strong = core.demand([{ acr: 'mfa' }], false)
  const recent = core.demand([{ maxAgeSeconds: 300 }], false)
  const challengeOf = (description: string, parameters: string): string =>
    'Bearer realm="https://auth.example", error="insufficient_user_authentication", ' +
    `error_description="${description}", ${parameters}`

  it('a guard with acr refuses any other acr with 401 and acr_values (RFC 9470 §3)', async () => {
    for (const token of [tokenOf({}), tokenOf({ acr: 'pwd' }), tokenOf({ acr: 'MFA' })]) {
      assert.deepEqual(await answer(token, strong), {
        status: 401,
        challenge: challengeOf('A stronger login is needed', 'acr_values="mfa"'),
        detail: 'A stronger login is needed',
      })
    }
    assert.ok((await core.check(request(`Bearer ${tokenOf({ acr: 'mfa' })}`), strong)).allowed)
  })

  it('acr_values lists the accepted values in order of preference (RFC 9470 §3)', async () => {
    const either = core.demand([{ acr: ['phrh', 'mfa'] }], false)
    const { challenge } = await answer(tokenOf({ acr: 'pwd' }), either)
    assert.match(challenge ?? '', /acr_values="phrh mfa"$/)
    for (const acr of ['phrh', 'mfa'])
      assert.ok((await core.check(request(`Bearer ${tokenOf({ acr })}`), either)).allowed)
  })

  it('a challenge names acr_values and max_age if the route demands both', async () => {
    const both = core.demand([{ acr: 'mfa', maxAgeSeconds: 300 }], false)
    const parameters = 'acr_values="mfa", max_age="300"'
    const tooWeak = challengeOf('A stronger login is needed', parameters)
    const tooOld = challengeOf('A more recent login is needed', parameters)
    for (const [login, expected] of [
      [{ acr: 'pwd' }, tooWeak],
      [{ acr: 'mfa', ageSeconds: 400 }, tooOld],
      [{ acr: 'pwd', ageSeconds: 400 }, tooOld],
    ] as const) {
      assert.equal((await answer(tokenOf(login), both)).challenge, expected)
    }
  })

  it('the demands of two guards for acr and maxAgeSeconds both apply', async () => {
    for (const demands of [
      [strong, recent],
      [recent, strong],
    ]) {
      assert.equal((await answer(tokenOf({ acr: 'pwd' }), ...demands)).status, 401)
      assert.equal((await answer(tokenOf({ acr: 'mfa', ageSeconds: 400 }), ...demands)).status, 401)
    }
  })

  it('an optional guard with acr admits requests without a token, and no weak login', async () => {
    const optional = core.demand([{ acr: 'mfa' }], true)
    assert.ok((await core.check(request(), optional)).allowed)
    assert.equal(refusal(await core.check(request(`Bearer ${tokenOf({})}`), optional)).status, 401)
  })

  it('a guard checks acr before the scopes (RFC 9470 §3)', async () => {
    const writer = core.demand([{ scopes: ['items:write'], acr: 'mfa' }], false)
    assert.equal((await answer(tokenOf({}), writer)).status, 401)
    assert.equal((await answer(tokenOf({ acr: 'mfa' }), writer)).status, 403)
  })
})

describe('user()', () => {
  const checkWith = async <U>(
    user: GuardOptions<Scope, U>['user'],
    token = tokenWith(),
  ): Promise<Decision<Scope, U, undefined>> => {
    const guard: GuardCore<Scope, U> = createGuardCore<Scope, U>({
      verifier,
      scopes: declared,
      ...(user && { user }),
    })
    return guard.check(request(`Bearer ${token}`), guard.demand(['items:read'], false))
  }

  it('user() of a guard gets an identity and returns the app’s user', async () => {
    for (const user of [
      (who: Identity) => ({ id: who.subject }),
      async (who: Identity) => ({ id: who.subject }),
    ]) {
      const decision = await checkWith(user, tokenWith('items:read'))
      assert.ok(decision.allowed)
      assert.deepEqual(decision.caller?.user, { id: 'alice' })
    }
  })

  it('check() refuses the token if user() returns undefined or null', async () => {
    for (const user of [() => undefined, async () => undefined, () => null, async () => null]) {
      const decision = await checkWith(user, tokenWith('items:read'))
      assert.deepEqual(refusal(decision), {
        status: 401,
        challenge:
          'Bearer realm="https://auth.example", error="invalid_token", ' +
          'error_description="Invalid token"',
        detail: 'Invalid token',
      })
    }
  })

  it('check() throws if user() returns a value that is not an object', async () => {
    const values = [
      false,
      true,
      0,
      1,
      1n,
      Number.NaN,
      '',
      'alice',
      Symbol('alice'),
      [],
      [{ id: 'alice' }],
    ]
    const errors = [
      new Error('no such user'),
      new RangeError('limit'),
      new TokenError('not_authenticated', ''),
    ]
    for (const value of [...values, ...errors, () => ({ id: 'alice' })]) {
      for (const user of [() => value, async () => value]) {
        await assert.rejects(checkWith(user as () => object, tokenWith('items:read')), {
          name: 'TypeError',
          message:
            'the function `user` of a guard must return an object; if there is no user, ' +
            'it must return undefined or null',
        })
      }
    }
  })

  it('isUserObject(null) is false, although typeof null is "object"', () => {
    assert.equal(isUserObject(null), false)
  })

  it('user() of a guard can return a plain object, a class instance, a Map or a Date', async () => {
    class Account {
      readonly id = 'alice'
    }
    for (const value of [
      {},
      Object.create(null),
      new Account(),
      new Map(),
      new Date(0),
    ] as object[]) {
      const decision = await checkWith(() => value, tokenWith('items:read'))
      assert.ok(decision.allowed)
      assert.equal(decision.caller?.user, value)
    }
  })

  it('a guard calls user() only after it has checked the token and the scopes', async () => {
    let asked = 0
    const user = (): object => {
      asked++
      return {}
    }
    assert.equal(refusal(await checkWith(user, 'abc')).status, 401)
    assert.equal(refusal(await checkWith(user, tokenWith())).status, 403)
    assert.equal(asked, 0)
    assert.ok((await checkWith(user, tokenWith('items:read'))).allowed)
    assert.equal(asked, 1)
  })

  it('a guard does not call user() if there is no token', async () => {
    const guard = createGuardCore({ verifier, user: () => assert.fail('asked') })
    assert.deepEqual(await guard.check(request(), guard.demand([], true)), {
      allowed: true,
      caller: undefined,
    })
  })

  it('user() of a guard can throw a TokenError to refuse the caller', async () => {
    const refuse = (): never => {
      throw new TokenError('insufficient_scope', 'Not today')
    }
    const { status, detail } = refusal(await checkWith<unknown>(refuse, tokenWith('items:read')))
    assert.deepEqual([status, detail], [403, 'Not today'])
  })

  it('a guard throws any error of user() that is not a TokenError', async () => {
    const broken = new Error('connection refused')
    await assert.rejects(
      checkWith(() => Promise.reject(broken), tokenWith('items:read')),
      broken,
    )
    await assert.rejects(
      checkWith(() => {
        throw broken
      }, tokenWith('items:read')),
      broken,
    )
  })
})

describe('a demand of a verified e-mail address', () => {
  const guardOf = (user: unknown): GuardCore<Scope, object> =>
    createGuardCore<Scope, object>({ verifier, scopes: declared, user: () => user as object })
  const verified = guardOf({}).demand([{ verified: true }], false)
  const checkOf = (user: unknown, demand = verified, token = tokenWith()) =>
    guardOf(user).check(request(`Bearer ${token}`), demand)

  it('a guard with `verified` admits only a user whose emailVerified is true', async () => {
    class Account {
      get emailVerified(): boolean {
        return true
      }
    }
    for (const user of [{ emailVerified: true }, new Account()])
      assert.ok((await checkOf(user)).allowed)
    for (const emailVerified of [false, undefined, null, 'true', 1, new Date(), {}])
      assert.ok(!(await checkOf({ emailVerified })).allowed, inspect(emailVerified))
    for (const user of [{}, { email_verified: true }, { verified: true }])
      assert.ok(!(await checkOf(user)).allowed, inspect(user))
  })

  it('a guard with `verified` answers an unverified user with 403 and no challenge', async () => {
    const decision = await checkOf({ emailVerified: false })
    assert.ok(!decision.allowed)
    const { status, headers, body = '' } = decision.answer
    assert.equal(status, 403)
    assert.equal(headers['www-authenticate'], undefined)
    assert.deepEqual(JSON.parse(body), {
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'A verified e-mail address is needed',
      code: 'email_not_verified',
    })
    assert.equal(decision.error.reason, 'email_not_verified')
  })

  it('a guard checks `verified` after the scopes, and after it has loaded the user', async () => {
    const demand = guardOf({}).demand([{ scopes: ['items:read'], verified: true }], false)
    const reasonOf = async (user: unknown, token?: string): Promise<string | undefined> => {
      const decision = await checkOf(user, demand, token)
      return decision.allowed ? undefined : decision.error.reason
    }
    assert.equal(await reasonOf({}), 'missing_scope')
    assert.equal(await reasonOf(undefined, tokenWith('items:read')), 'unknown_user')
    assert.equal(await reasonOf({}, tokenWith('items:read')), 'email_not_verified')
    assert.equal(await reasonOf({ emailVerified: true }, tokenWith('items:read')), undefined)
  })

  it('an optional guard with `verified` admits a request without a token', async () => {
    const guard = guardOf({ emailVerified: false })
    const demand = guard.demand([{ verified: true }], true)
    assert.ok((await guard.check(request(), demand)).allowed)
    assert.ok(!(await guard.check(request(`Bearer ${tokenWith()}`), demand)).allowed)
  })

  it('a guard with `verified` but without user() throws a TypeError', () => {
    const withoutUser = createGuardCore<string, undefined>({ verifier })
    for (const optional of [true, false])
      assert.throws(() => withoutUser.demand([{ verified: true }], optional), {
        name: 'TypeError',
        message:
          'a guard with `verified` must know the users. Fix: pass `user` to createGuard, or the ' +
          'object from createKeystile()',
      })
  })

  for (const [value, fault] of [
    [false, '`verified` must be true; it is false. Fix: '],
    ['true', '`verified` must be true; it is a string. Fix: '],
    [1, '`verified` must be true; it is 1. Fix: '],
    [null, '`verified` must be true; it is null. Fix: '],
    [undefined, 'the option `verified` of a guard is undefined'],
  ] as const) {
    it(`demand() refuses { verified: ${inspect(value)} }, because only true is allowed`, () => {
      assert.throws(
        () => guardOf({}).demand([{ verified: value as unknown as true }], false),
        ({ name, message }: Error) => name === 'TypeError' && message.startsWith(fault),
      )
    })
  }

  it('enter() of a guard without user() refuses a caller if a demand has `verified`', async () => {
    const token = tokenWith()
    assert.ok((await check(`Bearer ${token}`)).allowed)
    assert.equal(core.enterAtOnce({}, request(`Bearer ${token}`), verified), undefined)
    const decision = await core.enter({}, request(`Bearer ${token}`), verified)
    assert.ok(!decision.allowed)
    assert.equal(decision.error.reason, 'email_not_verified')
  })

  it('a guard with `verified` admits a token only after emailVerified becomes true', async () => {
    const user = { emailVerified: false }
    const guard = guardOf(user)
    const sent = request(`Bearer ${tokenWith()}`)
    assert.ok(!(await guard.check(sent, verified)).allowed)
    user.emailVerified = true
    assert.ok((await guard.check(sent, verified)).allowed)
  })

  it('if one of several guards demands `verified`, emailVerified must be true', async () => {
    const demandWith = fc.record({
      scopes: fc.subarray(['items:read', 'items:write'] as const),
      verified: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(demandWith, { minLength: 1, maxLength: 4 }),
        fc.subarray(['items:read', 'items:write'] as const),
        fc.boolean(),
        async (demands, held, emailVerified) => {
          const guard = guardOf({ emailVerified })
          const carrier = {}
          const sent = request(`Bearer ${tokenWith(...held)}`)
          let admitted = true
          for (const { scopes, verified } of demands) {
            const args = [
              { ...(scopes.length > 0 && { scopes }), ...(verified && { verified }) },
            ] as const
            const demand = guard.demand(Object.keys(args[0]).length > 0 ? [...args] : [], false)
            admitted &&=
              guard.enterAtOnce(carrier, sent, demand) !== undefined ||
              (await guard.enter(carrier, sent, demand)).allowed
          }
          const isMet = demands.every(
            ({ scopes, verified }) =>
              scopes.every((scope) => held.includes(scope)) && (emailVerified || !verified),
          )
          assert.equal(admitted, isMet)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('demand()', () => {
  const names = [
    'items:raed',
    '',
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    'Items:read',
    'items:read ',
  ]
  for (const name of names) {
    it(`demand() refuses the undeclared scope ${JSON.stringify(name)}`, () => {
      assert.throws(
        () => core.demand([name as Scope], false),
        /is not declared; declared scopes: items:read, items:write/,
      )
      assert.throws(() => core.demand(['items:read', name as Scope], true), TypeError)
    })
  }

  it('demand() refuses a scope that is not a string', () => {
    const values: readonly unknown[] = [undefined, null, 1, ['items:read'], []]
    for (const value of values) {
      for (const args of [[value], ['items:read', value], [value, 'items:read']]) {
        assert.throws(() => core.demand(args as Scope[], false), TypeError)
        assert.throws(
          () => createGuardCore<string, undefined>({ verifier }).demand(args as string[], false),
          TypeError,
        )
      }
    }
  })

  const misspelt: readonly (readonly unknown[])[] = [
    [{ scope: ['items:write'] }],
    [{ scopes: 'items:write' }],
    [{ scopes: null }],
    [{ scopes: ['items:raed'] }],
    [{ scopes: ['constructor'] }],
    [{ scopes: [['items:read']] }],
    [{ scopes: ['items:read'] }, 'items:write'],
    [{ scopes: ['items:read'] }, { scopes: ['items:write'] }],
    ['items:read', { maxAgeSeconds: 300 }],
    [{ maxAge: 300 }],
    [{}],
    [{ scopes: [] }],
    [{ scopes: undefined }],
    [{ scopes: ['items:read'], maxAgeSeconds: undefined }],
    [{ scopes: ['items:read'], verified: undefined }],
    ...[true, false, 'true', 1, null].map((verified) => [{ verified }]),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '300', null].map((maxAgeSeconds) => [
      { maxAgeSeconds },
    ]),
    ...['', 'two factors', 'a"b', 'größe', [], [''], ['mfa', 7], 7, true, null, {}, undefined].map(
      (acr) => [{ acr }],
    ),
    ['items:read', { acr: 'mfa' }],
  ]
  for (const args of misspelt) {
    it(`demand() refuses ${inspect(args)}, which could demand less than intended`, () => {
      assert.throws(
        () => core.demand(args as Scope[], false),
        /^TypeError: .*(a guard|scope|maxAgeSeconds|acr|verified)/,
      )
    })
  }

  it('demand() without scopes throws an error that says how to demand only a token', () => {
    for (const nothing of [{}, { scopes: [] }]) {
      assert.throws(() => core.demand([nothing], false), {
        message:
          'a guard must get at least one scope in { scopes }. ' +
          'Fix: to admit every caller with a token, call guard() or leave `scopes` out',
      })
    }
  })

  it('the error of demand() names the unknown member', () => {
    assert.throws(
      () => core.demand([{ maxAge: 300 } as object], false),
      /^TypeError: a guard .*`maxAge`/,
    )
  })

  it('demand() refuses a string in place of a list of scopes', () => {
    const core = createGuardCore<string, undefined>({ verifier })
    assert.throws(
      () => core.demand([{ scopes: 'items' as unknown as string[] }], false),
      /the arguments of a guard must be scopes, or \{/,
    )
  })

  it('demand() accepts scopes as separate arguments, or in one object', () => {
    const nothing = {
      alternatives: [[]],
      maxAgeSeconds: undefined,
      acr: undefined,
      verified: false,
      optional: false,
    }
    assert.deepEqual(core.demand([], false), nothing)
    assert.deepEqual(core.demand(['items:read'], true), {
      ...nothing,
      alternatives: [['items:read']],
      optional: true,
    })
    assert.deepEqual(core.demand([{ scopes: ['items:read'], maxAgeSeconds: 1 }], false), {
      alternatives: [['items:read']],
      maxAgeSeconds: 1,
      acr: undefined,
      verified: false,
      optional: false,
    })
  })

  it('a demand does not change when the app later changes the list of scopes', () => {
    const scopes: Scope[] = ['items:read']
    const demand = core.demand([{ scopes }], false)
    const anyOf = core.demandAnyOf([scopes])
    scopes.length = 0
    for (const { alternatives } of [demand, anyOf]) {
      assert.deepEqual(alternatives, [['items:read']])
      assert.throws(() => ((alternatives[0] as Scope[]).length = 0), TypeError)
    }
  })

  it('demandAnyOf accepts single scopes and lists of scopes as alternatives', () => {
    assert.deepEqual(core.demandAnyOf(['items:read', ['items:write', 'items:read']]), {
      alternatives: [['items:read'], ['items:write', 'items:read']],
      maxAgeSeconds: undefined,
      acr: undefined,
      verified: false,
      optional: false,
    })
  })

  const noChoice: readonly (readonly unknown[])[] = [
    [],
    [[]],
    ['items:read', []],
    ['items:raed'],
    [['items:read', 'constructor']],
    [undefined],
    [null],
    [{ scopes: ['items:read'] }],
    [['items:read', 1]],
  ]
  for (const args of noChoice) {
    it(`demandAnyOf refuses ${inspect(args)}`, () => {
      assert.throws(
        () => core.demandAnyOf(args as Scope[]),
        /^TypeError: (guard\.anyOf\(\) must get|a guard must get|the arguments of a guard|each scope|the scope)/,
      )
    })
  }

  it('demand() accepts every scope if the guard declares no scopes', async () => {
    const open = createGuardCore<string, undefined>({ verifier })
    const decision = await open.check(
      request(`Bearer ${tokenWith('x')}`),
      open.demand(['x'], false),
    )
    assert.ok(decision.allowed)
    assert.equal(
      refusal(
        await open.check(request(`Bearer ${tokenWith('x')}`), open.demand(['toString'], false)),
      ).status,
      403,
    )
  })
})

describe('createGuardCore', () => {
  it('createGuardCore refuses a misspelt option and an option that is undefined', () => {
    const user = (): object => ({})
    for (const options of [
      undefined,
      null,
      {},
      { verifier: undefined },
      { verifier, user: undefined },
      { verifier, scopes: undefined },
      { verifier, getUser: user },
      { verifier, user: {} },
      [verifier],
    ]) {
      assert.throws(
        () => createGuardCore(options as unknown as GuardOptions<string, object>),
        TypeError,
      )
    }
  })

  it('createGuardCore accepts the objects that createKeystile and createTestIssuer return', () => {
    const ofKeystile =
      'issuer sessions users hashPassword verifyPassword checkPassword userChanged answer fetch'
    const names = `${ofKeystile} close audience token headers revoke advance`.split(' ')
    const others = Object.fromEntries(names.map((name) => [name, () => {}]))
    assert.ok(createGuardCore({ verifier, ...others }))
  })

  it('the error of createGuardCore names createGuard and the wrong option', () => {
    const made = (options: object) => (): unknown => createGuardCore({ verifier, ...options })
    assert.throws(made({ users: {} }), /no option `users`/) // a misspelt `user`
    assert.throws(made({ getUser: 1 }), /^TypeError: .*createGuard/)
    for (const user of [1, {}, null])
      assert.throws(made({ user }), /^TypeError: .*`user` of createGuard/)
  })

  it('createGuardCore accepts options that are an instance of the app’s own class', async () => {
    class Auth {
      readonly logger = console
      readonly verifier = verifier
      user(): object {
        return { name: this.logger === console ? 'Alice' : 'lost' }
      }
    }
    const guard = createGuardCore<Scope, object>(new Auth())
    const decision = await guard.check(request(`Bearer ${tokenWith()}`), guard.demand([], false))
    assert.ok(decision.allowed)
    assert.deepEqual(decision.caller?.user, { name: 'Alice' })
  })

  it('a guard still calls the old user() after the app replaced the option `user`', async () => {
    const options: { verifier: Verifier; user: () => object | undefined } = {
      verifier,
      user: () => undefined,
    }
    const guard = createGuardCore<Scope, object>(options)
    options.user = () => ({})
    const decision = await guard.check(request(`Bearer ${tokenWith()}`), guard.demand([], false))
    assert.equal(refusal(decision).status, 401)
  })

  for (const verifier of [null, {}, { verify: true }]) {
    it(`createGuardCore refuses ${JSON.stringify(verifier)} as a verifier`, () => {
      assert.throws(
        () => createGuardCore({ verifier } as unknown as GuardOptions<string, undefined>),
        /must have a verifier/,
      )
    })
  }
})

describe('callerOf', () => {
  it('callerOf returns a caller only for a request that was admitted', async () => {
    const [first, second] = [{}, {}]
    const decision = await core.enter(
      first,
      request(`Bearer ${tokenWith()}`),
      core.demand([], false),
    )
    assert.ok(decision.allowed)
    assert.equal(core.callerOf(first), decision.caller)
    assert.equal(requireCaller(core, first), decision.caller)
    assert.throws(() => core.callerOf(second), /no guard ran/)
    assert.throws(() => requireCaller(core, second), /no guard ran/)
    assert.throws(() => createGuardCore({ verifier }).callerOf(first), /no guard ran/)
  })

  it('without a token, callerOf returns undefined but requireCaller throws', async () => {
    const anonymous = {}
    await core.enter(anonymous, request(), core.demand([], true))
    assert.equal(core.callerOf(anonymous), undefined)
    assert.throws(() => requireCaller(core, anonymous), {
      name: 'TypeError',
      message:
        'the guard of this route is optional and the request has no token: ' +
        'call guard.optional.caller(…), which returns undefined for such a request',
    })
  })

  it('callerOf throws for a request that was refused', async () => {
    const refused = {}
    await core.enter(refused, request(`Bearer ${tokenWith()}`), core.demand(['items:read'], false))
    assert.throws(() => core.callerOf(refused), /no guard ran/)
  })
})

describe('anyOf', () => {
  const either = core.demandAnyOf(['items:write', ['items:read']])
  it('anyOf admits a token that has one of several scopes (RFC 6750 §3.1)', async () => {
    for (const scope of ['items:read', 'items:write'] as const)
      assert.ok((await core.check(request(`Bearer ${tokenWith(scope)}`), either)).allowed)
    const { status, challenge } = refusal(
      await core.check(request(`Bearer ${tokenWith()}`), either),
    )
    assert.equal(status, 403)
    assert.match(challenge ?? '', /scope="items:write"$/)
  })

  it('if anyOf gets a list of scopes, a token must have all scopes of this list', async () => {
    const both = core.demandAnyOf([['items:read', 'items:write']])
    assert.equal(
      refusal(await core.check(request(`Bearer ${tokenWith('items:read')}`), both)).status,
      403,
    )
    assert.ok(
      (await core.check(request(`Bearer ${tokenWith('items:read', 'items:write')}`), both)).allowed,
    )
  })
})

describe('enter() with two guards on one request', () => {
  const read = core.demand(['items:read'], false)
  const write = core.demand(['items:write'], false)

  it('two guards demand the scopes of both, and the challenge names all these scopes', async () => {
    const carrier = {}
    const asked = request(`Bearer ${tokenWith('items:read')}`)
    assert.ok((await core.enter(carrier, asked, read)).allowed)
    const { status, challenge } = refusal(await core.enter(carrier, asked, write))
    assert.equal(status, 403)
    assert.match(challenge ?? '', /scope="items:read items:write"$/)
  })

  it('two guards admit a request without a token only if both are optional', async () => {
    const optional = core.demand([], true)
    const pairs = [
      [optional, optional, true],
      [optional, read, false],
      [core.demand([], false), optional, false],
    ] as const
    for (const [outer, inner, passes] of pairs) {
      const carrier = {}
      const first = await core.enter(carrier, request(), outer)
      const second = first.allowed ? await core.enter(carrier, request(), inner) : first
      assert.equal(second.allowed, passes)
    }
  })

  it('joinDemands returns an optional demand only if both demands are optional', () => {
    const [required, optional] = [core.demand([], false), core.demand([], true)]
    for (const [outer, inner] of [
      [required, optional],
      [optional, required],
    ] as const)
      assert.deepEqual(joinDemands(outer, inner), {
        alternatives: [[]],
        maxAgeSeconds: undefined,
        acr: undefined,
        verified: false,
        optional: false,
      })
  })

  it('joinDemands drops an alternative that contains all scopes of another alternative', () => {
    const either = core.demandAnyOf(['items:read', 'items:write'])
    assert.deepEqual(joinDemands(either, either).alternatives, [['items:read'], ['items:write']])
    assert.deepEqual(joinDemands(either, read).alternatives, [['items:read']])
    assert.deepEqual(joinDemands(write, either).alternatives, [['items:write']])
    const open = createGuardCore<string, undefined>({ verifier })
    const inner = open.demandAnyOf(['a', 'c', ['a', 'd']])
    assert.deepEqual(joinDemands(open.demandAnyOf(['a', 'b']), inner).alternatives, [
      ['a'],
      ['b', 'c'],
    ])
    const turned = core.demandAnyOf([
      ['items:write', 'items:read'],
      ['items:read', 'items:write'],
    ])
    assert.deepEqual(joinDemands(core.demand([], false), turned).alternatives, [
      ['items:write', 'items:read'],
    ])
  })

  it('joinDemands takes the smaller of two maximum ages', () => {
    const [older, younger] = [600, 300].map((maxAgeSeconds) =>
      core.demand([{ maxAgeSeconds }], false),
    ) as [Demand<Scope>, Demand<Scope>]
    for (const [outer, inner] of [
      [older, younger],
      [younger, older],
    ] as const)
      assert.equal(joinDemands(outer, inner).maxAgeSeconds, 300)
  })

  it('joinDemands keeps the values of acr that satisfy both demands', () => {
    const demandOf = (acr?: string | readonly string[]): Demand<Scope> =>
      core.demand(acr === undefined ? [] : [{ acr }], false)
    for (const [outer, inner, joined] of [
      [undefined, undefined, undefined],
      [undefined, 'mfa', ['mfa']],
      ['mfa', undefined, ['mfa']],
      ['mfa', 'mfa', ['mfa']],
      [
        ['a', 'b', 'c'],
        ['c', 'b'],
        ['b', 'c'],
      ],
      ['pwd', 'mfa', ['mfa']],
      [['mfa', 'a'], ['pwd', 'b'], ['mfa']],
    ] as const) {
      assert.deepEqual(joinDemands(demandOf(outer), demandOf(inner)).acr, joined)
    }
    assert.throws(() => joinDemands(demandOf(['a', 'b']), demandOf('c')), {
      name: 'TypeError',
      message:
        'the guards of a route demand different values of `acr`, so they would refuse every ' +
        'token. Fix: let both guards accept the same value; now one accepts a, b, and the other c',
    })
  })

  it('joinDemands keeps `verified` if at least one of the two demands has `verified`', () => {
    const guard = createGuardCore({ verifier, user: () => ({}) })
    const [verified, other] = [guard.demand([{ verified: true }], false), guard.demand([], false)]
    for (const [outer, inner, expected] of [
      [verified, other, true],
      [other, verified, true],
      [verified, verified, true],
      [other, other, false],
    ] as const)
      assert.equal(joinDemands(outer, inner).verified, expected)
  })

  it('if guard 1 loaded an unverified user, guard 2 with `verified` refuses the user', async () => {
    const guard = createGuardCore({ verifier, user: () => ({ emailVerified: false }) })
    const carrier = {}
    const sent = request(`Bearer ${tokenWith()}`)
    assert.ok((await guard.enter(carrier, sent, guard.demand([], false))).allowed)
    const decision = await guard.enter(carrier, sent, guard.demand([{ verified: true }], false))
    assert.ok(!decision.allowed)
    assert.equal(decision.error.reason, 'email_not_verified')
  })

  it('enter() calls user() once per request', async () => {
    let asked = 0
    const guard = createGuardCore({ verifier, user: () => ({ number: ++asked }) })
    const carrier = {}
    const sent = request(`Bearer ${tokenWith('items:read')}`)
    for (let i = 0; i < 3; i++) await guard.enter(carrier, sent, guard.demand([], false))
    assert.deepEqual(requireCaller(guard, carrier).user, { number: 1 })
  })

  it('enter() never uses the caller of one token for another token', async () => {
    const guard = createGuardCore({ verifier, user: ({ claims }) => ({ jti: claims.jti }) })
    const carrier = {}
    const tokens = [tokenWith(), tokenWith()]
    for (const token of tokens)
      await guard.enter(carrier, request(`Bearer ${token}`), guard.demand([], false))
    assert.equal(requireCaller(guard, carrier).user.jti, decodeJwtUnsafe(tokens[1]!).claims.jti)
  })

  it('enterAtOnce returns undefined for a second guard on the same request', async () => {
    const token = tokenWith('items:read')
    await check(`Bearer ${token}`)
    const carrier = {}
    const caller = core.enterAtOnce(carrier, request(`Bearer ${token}`), read)
    assert.equal(caller?.identity.subject, 'alice')
    assert.equal(core.callerOf(carrier), caller)
    assert.equal(
      core.enterAtOnce(carrier, request(`Bearer ${token}`), core.demand([], true)),
      undefined,
    )
  })
})

describe('enterAtOnce', () => {
  const demand = (scopes: readonly Scope[] = [], optional = false) =>
    core.demand([...scopes], optional)

  it('enterAtOnce returns a caller only for a token that check() has verified', async () => {
    const token = tokenWith('items:read')
    assert.equal(core.enterAtOnce({}, request(`Bearer ${token}`), demand()), undefined)
    const decision = await check(`Bearer ${token}`)
    assert.ok(decision.allowed)
    assert.deepEqual(
      core.enterAtOnce({}, request(`Bearer ${token}`), demand(['items:read'])),
      decision.caller,
    )
    for (const field of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} `,
      `Bearer  ${token}x`,
    ]) {
      const asked = { method: 'GET', url: '/', headers: { get: () => field } }
      assert.equal(core.enterAtOnce({}, asked, demand([], true)), undefined, String(field))
    }
  })

  it('enterAtOnce never admits a request without a credential', async () => {
    const decision = await check(`Bearer ${tokenWith()}`)
    assert.ok(decision.allowed)
    const recall = (): Identity | undefined => decision.caller?.identity
    const guard = createGuardCore<Scope, undefined>({ verifier: { ...verifier, recall } })
    assert.equal(guard.enterAtOnce({}, request(), guard.demand([], false)), undefined)
  })

  it('enterAtOnce returns undefined if the verifier throws', () => {
    const recall = (): never => {
      throw new Error('a bug of the app')
    }
    const guard = createGuardCore<Scope, undefined>({ verifier: { ...verifier, recall } })
    assert.equal(
      guard.enterAtOnce({}, request(`Bearer ${tokenWith()}`), guard.demand([], false)),
      undefined,
    )
  })

  it('enterAtOnce returns undefined for maxAgeSeconds, acr, user() or a missing scope', async () => {
    const token = tokenWith('items:read')
    await check(`Bearer ${token}`)
    assert.equal(
      core.enterAtOnce({}, request(`Bearer ${token}`), demand(['items:read', 'items:write'])),
      undefined,
    )
    assert.equal(
      core.enterAtOnce({}, request(`Bearer ${token}`), core.demand([{ maxAgeSeconds: 60 }], false)),
      undefined,
    )
    assert.equal(
      core.enterAtOnce({}, request(`Bearer ${token}`), core.demand([{ acr: 'mfa' }], false)),
      undefined,
    )
    const withUser = createGuardCore({ verifier, user: () => undefined })
    assert.equal(
      withUser.enterAtOnce({}, request(`Bearer ${token}`), withUser.demand([], false)),
      undefined,
    )
  })

  describe('a guard whose users may be in memory', () => {
    interface Person {
      readonly name: string
      readonly emailVerified?: boolean
    }
    let inMemory: Person | undefined
    let loads = 0
    const guard = createGuardCore({
      verifier,
      user: withRecall(
        async (): Promise<Person | undefined> => {
          loads++
          return inMemory ?? { name: 'loaded' }
        },
        ({ subject }) => (subject === 'alice' ? inMemory : undefined),
      ),
    })
    const verified = guard.demand([{ verified: true }], false)

    it('enterAtOnce returns a caller if the user is already in memory', async () => {
      const sent = request(`Bearer ${tokenWith()}`)
      inMemory = undefined
      assert.ok((await guard.check(sent, guard.demand([], false))).allowed)
      assert.equal(guard.enterAtOnce({}, sent, guard.demand([], false)), undefined)

      inMemory = { name: 'Alice' }
      loads = 0
      const carrier = {}
      const caller = guard.enterAtOnce(carrier, sent, guard.demand([], false))
      assert.equal(caller?.user, inMemory)
      assert.equal(guard.callerOf(carrier), caller)
      assert.equal(loads, 0)
    })

    it('a guard with `verified` admits a cached user only if emailVerified is true', async () => {
      const sent = request(`Bearer ${tokenWith()}`)
      await guard.check(sent, guard.demand([], false))
      for (const emailVerified of [undefined, false, true]) {
        inMemory = { name: 'Alice', ...(emailVerified !== undefined && { emailVerified }) }
        const caller = guard.enterAtOnce({}, sent, verified)
        assert.equal(caller !== undefined, emailVerified === true)
        assert.equal((await guard.enter({}, sent, verified)).allowed, emailVerified === true)
      }
    })

    it('if user() wraps a withRecall() function, enterAtOnce returns undefined', async () => {
      inMemory = { name: 'Alice' }
      const load = withRecall(
        async () => inMemory,
        () => inMemory,
      )
      const wrapped = createGuardCore({ verifier, user: (identity) => load(identity) })
      const sent = request(`Bearer ${tokenWith()}`)
      assert.ok((await wrapped.check(sent, wrapped.demand([], false))).allowed)
      assert.equal(wrapped.enterAtOnce({}, sent, wrapped.demand([], false)), undefined)
    })
  })
})
