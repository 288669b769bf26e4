import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { TokenError } from '../base/errors.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import { generateKey } from '../keys/generate-key.ts'
import { importKey, importKeyWith } from '../keys/import-key.ts'
import { keySetOf, type KeySet } from '../keys/jwk-set.ts'
import { exportPublicJwk } from '../keys/jwk.ts'
import { keyObjectOf } from '../keys/key-object.ts'
import { trustedSecretKey } from '../keys/shared-secret.ts'
import type { SigningKey, VerificationKey } from '../keys/signing-key.ts'
import { signJws } from '../token/jws.ts'
import type { TokenType } from './identity.ts'
import { createRevocationList, type Revocations, type RevocationState } from './revocations.ts'
import { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts'

const start = 1_800_000_000 // seconds
const key = generateKey('ES256')
const issuer = 'https://auth.example'
const audience = 'https://api.example'

const tokenOf = (changes: object = {}, by = key): string => {
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'alice',
    client_id: 'app',
    sid: 's1',
    jti: 'j',
    iat: start,
  }
  const header = { alg: by.algorithm.name, kid: by.keyId, typ: 'at+jwt' }
  return signJws(header, JSON.stringify({ ...claims, exp: start + 600, ...changes }), by)
}

/** A clock that stands still until a test moves it. */
function movable(): { now(): number; advance(seconds: number): void } {
  let seconds = start
  return {
    now: () => seconds * 1000,
    advance(by) {
      seconds += by
    },
  }
}

const options: VerifierOptions = {
  issuer,
  audience,
  keys: keySetOf([key]),
  revocations: 'none',
  clockToleranceSeconds: 0,
  clock: { now: () => start * 1000 },
}

/** Revocations in the state `state`. After a refresh, their state is `afterRefresh`. */
function revocationsIn(
  state: RevocationState,
  afterRefresh = state,
): Revocations & { refreshes: number } {
  return {
    refreshes: 0,
    state,
    isRevoked: () => false,
    async refresh() {
      this.refreshes++
      await Promise.resolve()
      Object.assign(this, { state: afterRefresh })
    },
  }
}

async function refuses(act: () => Promise<unknown>, message: string, why?: Why): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof TokenError, String(error))
    assert.deepEqual([error.code, error.status, error.message], ['invalid_token', 401, message])
    if (why !== undefined) assertWhy(error, why)
    return true
  })
}

describe('createVerifier', () => {
  const { revocations: _, ...withoutRevocations } = options
  const { keys: _keys, ...withoutKeys } = options
  const feed = { clientId: 'orders', clientSecret: 'correct horse', whenStale: 'refuse' }
  const isRevoked = (): boolean => false
  const refresh = async (): Promise<void> => {}
  const wrong: readonly [string, unknown, RegExp][] = [
    ['undefined options', undefined, /must be an object/],
    ['options of null', null, /must be an object/],
    ['an issuer in place of options', issuer, /must be an object/],
    ['options without revocations', withoutRevocations, /`revocations` has no default/],
    ['revocations of null', { ...options, revocations: null }, /`revocations` has no default/],
    ['revocations "some"', { ...options, revocations: 'some' }, /`revocations` has no default/],
    ['revocations {}', { ...options, revocations: {} }, /`revocations` has no default/],
    [
      'revocations without a state',
      { ...options, revocations: { isRevoked, refresh } },
      /with state, isRevoked/,
    ],
    [
      'revocations without isRevoked',
      { ...options, revocations: { refresh, state: 'current' } },
      /isRevoked\(\) and/,
    ],
    [
      'revocations without refresh',
      { ...options, revocations: { isRevoked, state: 'current' } },
      /and refresh/,
    ],
    [
      'a feed without whenStale',
      { ...options, revocations: { clientId: 'orders', clientSecret: 'pX3' } },
      /`whenStale` of `revocations` must be 'refuse' or 'accept'; it has no default/,
    ],
    [
      'a feed with another whenStale',
      { ...options, revocations: { ...feed, whenStale: true } },
      /`whenStale` of `revocations` must be/,
    ],
    [
      'a feed without a secret',
      { ...options, revocations: { clientId: 'orders', whenStale: 'refuse' } },
      /`clientSecret` of `revocations` must be .*; it is undefined.*--may revocations/,
    ],
    [
      'a feed with a secret that is undefined',
      { ...options, revocations: { ...feed, clientSecret: undefined } },
      /`clientSecret` of `revocations` is undefined/,
    ],
    [
      'a feed with an empty client',
      { ...options, revocations: { ...feed, clientId: '' } },
      /`clientId` of `revocations` must be .*; it is an empty string/,
    ],
    [
      'a feed with a misspelt option',
      { ...options, revocations: { ...feed, whenStalled: 'accept' } },
      /`revocations` has no option `whenStalled`; did you mean `whenStale`/,
    ],
    [
      'a feed for two issuers',
      { ...withoutKeys, issuer: [issuer, 'https://other.example'], revocations: feed },
      /with a clientId works with one issuer only/,
    ],
    [
      'a feed of an http issuer',
      { ...options, issuer: 'http://auth.example', revocations: feed },
      /`issuer` must be an https URL .* revocations are fetched from there/,
    ],
    [
      'a feed of an issuer that is not a URL',
      { ...options, issuer: 'auth', revocations: feed },
      /`issuer` must be an https URL/,
    ],
    ['an option that is misspelt', { ...options, clockTolerance: 0 }, /no option `clockTolerance`/],
    ['an option of another library', { ...options, algorithm: 'EdDSA' }, /no option `algorithm`/],
    [
      'an option that is undefined',
      { ...options, algorithms: undefined },
      /`algorithms` of createVerifier is undefined/,
    ],
    [
      'a clock that counts seconds',
      { ...options, clock: { now: () => start } },
      /milliseconds since 1970/,
    ],
    [
      'a clock that returns NaN',
      { ...options, clock: { now: () => Number.NaN } },
      /milliseconds since 1970/,
    ],
    ['`performance` as a clock', { ...options, clock: performance }, /milliseconds since 1970/],
    ['an empty clock', { ...options, clock: {} }, /milliseconds since 1970/],
    ['a missing issuer', { ...options, issuer: undefined }, /issuer/],
    ['an empty issuer', { ...options, issuer: '' }, /issuer/],
    ['an empty array of issuers', { ...options, issuer: [] }, /it is an empty array$/],
    ['an empty issuer among others', { ...options, issuer: [issuer, ''] }, /the exact "iss"/],
    ['the same issuer twice', { ...options, issuer: [issuer, issuer] }, /different/],
    [
      'keys for two issuers',
      { ...options, issuer: [issuer, 'https://other.example'] },
      /`keys` works with one issuer only/,
    ],
    ['a missing audience', { ...options, audience: undefined }, /audience/],
    ['an empty audience', { ...options, audience: '' }, /audience/],
    ['an empty array of audiences', { ...options, audience: [] }, /audience/],
    ['an empty audience among others', { ...options, audience: [audience, ''] }, /audience/],
    ['an audience that is not a string', { ...options, audience: [1] }, /audience/],
    ['keys that are undefined', { ...options, keys: undefined }, /keys/],
    ['keys of null', { ...options, keys: null }, /`keys` must be a JWK Set, a KeySet, or/],
    ['a number as keys', { ...options, keys: 1 }, /`keys` must be a JWK Set, a KeySet, or/],
    ['an empty JWK Set', { ...options, keys: { keys: [] } }, /must have a usable key/],
    [
      'a JWK Set without a suitable key',
      { ...options, keys: { keys: [{ kty: 'RSA', alg: 'RS256' }] } },
      /must have a usable key/,
    ],
    ['an empty secret', { ...options, keys: '' }, /at least 32 bytes/],
    [
      'a secret of 31 bytes',
      { ...options, keys: 'abcdefghijklmnopqrstuvwxyz01234' },
      /at least 32 bytes/,
    ],
    [
      'a secret of 15 different bytes',
      { ...options, keys: 'abcdefghijklmno'.repeat(4) },
      /16 of them different/,
    ],
    ['a secret of one letter', { ...options, keys: 'a'.repeat(64) }, /16 of them different/],
    ['an empty list of algorithms', { ...options, algorithms: [] }, /`algorithms` must be a list/],
    [
      'an algorithm that does not exist',
      { ...options, algorithms: ['none'] },
      /`algorithms` must be a list/,
    ],
    [
      'a tolerance of 61 seconds',
      { ...options, clockToleranceSeconds: 61 },
      /clockToleranceSeconds/,
    ],
    ['a negative tolerance', { ...options, clockToleranceSeconds: -1 }, /clockToleranceSeconds/],
  ]
  for (const [name, given, expected] of wrong) {
    it(`createVerifier refuses ${name}`, () => {
      assert.throws(
        () => createVerifier(given as VerifierOptions),
        (error) =>
          error instanceof TypeError &&
          expected.test(error.message) &&
          !error.message.includes('horse'),
      )
    })
  }

  it('createVerifier accepts a revocation feed, whether or not `keys` is set', () => {
    for (const from of [options, withoutKeys]) {
      const revocations = { ...feed, whenStale: 'refuse' } as const
      assert.equal(createVerifier({ ...from, revocations }).state, 'starting')
    }
  })

  for (const secret of [
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    'a-string-secret-at-least-256-bits-long',
    'your-super-secret-jwt-token-with-at-least-32-characters-long',
    'your_jwt_secret_key_at_least_32_characters_long',
  ]) {
    it(`createVerifier refuses the published secret "${secret.slice(0, 24)}…"`, () => {
      assert.throws(
        () => createVerifier({ ...options, keys: secret }),
        /printed in public documentation/,
      )
    })
  }

  it('a verifier ignores later changes to the arrays `audience` and `algorithms`', async () => {
    const audiences = ['https://elsewhere.example']
    const algorithms: AlgorithmName[] = ['EdDSA']
    const narrow = [
      createVerifier({ ...options, audience: audiences }),
      createVerifier({ ...options, algorithms }),
    ]
    audiences.push(audience)
    algorithms.push('ES256')
    for (const verifier of narrow) await refuses(() => verifier.verify(tokenOf()), 'Invalid token')
  })

  it('an app cannot add audiences or issuers to an existing verifier', () => {
    const verifier = createVerifier({ ...options, audience: ['https://elsewhere.example'] })
    assert.deepEqual(verifier.audiences, ['https://elsewhere.example'])
    assert.deepEqual(verifier.issuers, [verifier.issuer])
    for (const list of [verifier.audiences, verifier.issuers]) assert.ok(Object.isFrozen(list))
  })

  it('verify() throws if isRevoked returns anything but true or false', async () => {
    for (const answer of [undefined, null, Promise.resolve(false), 0, 'no']) {
      const revocations = {
        state: 'current',
        isRevoked: (): never => answer as never,
        refresh,
      } as const
      const verifier = createVerifier({ ...options, revocations })
      const token = tokenOf()
      await assert.rejects(
        verifier.verify(token),
        /isRevoked\(\) of `revocations` must return true or false/,
      )
    }
  })

  it('verify() refuses every token while the clock returns NaN', async () => {
    let now = start * 1000
    const verifier = createVerifier({ ...options, clock: { now: () => now } })
    const token = tokenOf()
    assert.ok(await verifier.verify(token))
    now = Number.NaN
    assert.equal(verifier.recall!(token), undefined)
    await refuses(() => verifier.verify(token), 'Token has expired')
    await assert.rejects(verifier.verify(tokenOf()), TypeError)
  })

  for (const [what, keys, instead] of [
    [
      'the URL of a key set',
      'https://tenant.example/.well-known/jwks.json',
      /a URL.*pass its https URL as jwksUri/,
    ],
    [
      'the URL after white space',
      '\n https://tenant.example/.well-known/jwks.json',
      /a URL.*jwksUri/,
    ],
    ['the issuer', issuer, /a URL.*jwksUri/],
    [
      'a PEM',
      keyObjectOf(key.verifyingKey).export({ type: 'spki', format: 'pem' }),
      /a key.*importKey\(\{ pem, algorithm \}\)/,
    ],
    ['a JWK as text', JSON.stringify(exportPublicJwk(key)), /JSON.*as an object/],
    ['a key set as text', JSON.stringify({ keys: [exportPublicJwk(key)] }), /JSON.*as an object/],
    ['the path of a key', './public.pem', /the path of a file.*read the file/],
    ['a host name', 'tenant.example', /a host name.*jwksUri/],
    ['a URL object', new URL('https://tenant.example/.well-known/jwks.json'), /pass `jwksUri`/],
    [
      'an array of keys',
      [exportPublicJwk(key)],
      /a JWK Set must be an object \{ "keys": \[ … \] \}/,
    ],
  ] as const) {
    it(`createVerifier refuses ${what} as keys, and says what to pass instead`, () => {
      const given = { ...options, keys } as unknown as VerifierOptions
      assert.throws(
        () => createVerifier(given),
        (error) =>
          error instanceof TypeError &&
          instead.test(error.message) &&
          !error.message.includes('tenant'),
      )
    })
  }

  it('createVerifier never uses the URL of a key set as a shared secret', async () => {
    const url = 'https://tenant.example/.well-known/jwks.json'
    const forged = tokenOf(
      {},
      importKeyWith({ secret: url, algorithm: 'HS256' }, trustedSecretKey) as SigningKey,
    )
    assert.throws(() => createVerifier({ ...options, keys: url }), TypeError)
    const { keys: _, ...withoutKeys } = options
    const fetch = (): Promise<Response> =>
      Promise.resolve(Response.json({ keys: [exportPublicJwk(key)] }))
    const verifier = createVerifier({ ...withoutKeys, jwksUri: url, fetch })
    await assert.rejects(verifier.verify(forged), { code: 'invalid_token' })
    assert.equal((await verifier.verify(tokenOf())).subject, 'alice')
  })

  it('createVerifier never shows a secret that it refuses', () => {
    const secret = 'correct horse battery staple'
    assert.throws(
      () => createVerifier({ ...options, keys: secret }),
      (error: Error) => !error.message.includes('horse'),
    )
  })

  it('createVerifier accepts a JWK Set, a KeySet, or one good secret (HS256) as keys', async () => {
    const secret = 'kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA'
    const hmac = importKey({ secret, algorithm: 'HS256' })
    assert.ok('signingKey' in hmac)
    const given: readonly [NonNullable<VerifierOptions['keys']>, string][] = [
      [{ keys: [exportPublicJwk(key)] }, tokenOf()],
      [keySetOf([key]), tokenOf()],
      [secret, tokenOf({}, hmac)],
    ]
    for (const [keys, token] of given) {
      assert.equal((await createVerifier({ ...options, keys }).verify(token)).subject, 'alice')
    }
  })

  it('createVerifier demands a secret of at least 32 bytes, at least 16 of them different', () => {
    const half = 'kQ3v9ZpX1mW7tY5u'
    assert.ok(createVerifier({ ...options, keys: half.repeat(2) }))
    assert.throws(
      () => createVerifier({ ...options, keys: half.repeat(2).slice(1) }),
      /at least 32 bytes/,
    )
    assert.throws(
      () =>
        createVerifier({ ...options, keys: half.replace('5', 'p').replace('u', 'p').repeat(2) }),
      /16 of them/,
    )
  })

  it('verifier.state is `revocations.state`, or "current" if `revocations` is "none"', () => {
    assert.equal(createVerifier(options).state, 'current')
    for (const state of ['starting', 'current', 'stale'] as const) {
      assert.equal(createVerifier({ ...options, revocations: revocationsIn(state) }).state, state)
    }
  })

  it('verifier.issuer is the option `issuer`', () => {
    assert.equal(createVerifier(options).issuer, issuer)
  })
})

describe('verify()', () => {
  it('verify() returns the identity of the caller', async () => {
    const identity = await createVerifier(options).verify(
      tokenOf({ scope: 'a b', auth_time: start - 9 }),
    )
    assert.equal(identity.subject, 'alice')
    assert.equal(identity.clientId, 'app')
    assert.equal(identity.sessionId, 's1')
    assert.deepEqual(identity.scopes, ['a', 'b'])
    assert.deepEqual(identity.authenticatedAt, new Date((start - 9) * 1000))
    assert.deepEqual([identity.acr, identity.amr], [undefined, undefined])
    assert.equal(identity.claims.jti, 'j')
    assert.ok(
      Object.keys(identity).includes('authenticatedAt'),
      'a copy of the identity must have authenticatedAt too',
    )
    const bare = await createVerifier(options).verify(tokenOf({ sid: undefined }))
    assert.deepEqual(
      [bare.sessionId, bare.authenticatedAt, bare.scopes],
      [undefined, undefined, []],
    )
  })

  it('verify() returns the app’s own claims unchanged, even null', async () => {
    const { claims } = await createVerifier(options).verify(
      tokenOf({ tenant: null, list: [null, 1] }),
    )
    assert.deepEqual([claims['tenant'], claims['list']], [null, [null, 1]])
  })

  it('verify() refuses malformed JWTs and a wrong issuer, audience, typ or algorithm', async () => {
    const verifier = createVerifier(options)
    await refuses(
      () => verifier.verify(tokenOf({ iss: `${issuer}/` })),
      'Invalid token',
      'wrong_issuer',
    )
    await refuses(
      () => verifier.verify(tokenOf({ aud: 'other' })),
      'Invalid token',
      'wrong_audience',
    )
    await refuses(() => verifier.verify(tokenOf().slice(0, -1)), 'Invalid token')
    await refuses(() => verifier.verify(''), 'Invalid token')
    const idToken = signJws({ alg: 'ES256', kid: key.keyId, typ: 'JWT' }, '{}', key)
    await refuses(() => verifier.verify(idToken), 'Invalid token', /"typ"/)
    const narrow = createVerifier({ ...options, algorithms: ['RS256'] })
    await refuses(() => narrow.verify(tokenOf()), 'Invalid token', 'forbidden_algorithm')
  })

  it('verify() allows a clock difference of five seconds by default', async () => {
    const { clockToleranceSeconds: _, ...rest } = options
    const verifier = createVerifier(rest)
    assert.ok(await verifier.verify(tokenOf({ exp: start - 4 })))
    await refuses(() => verifier.verify(tokenOf({ exp: start - 5 })), 'Token has expired')
  })

  it('verify() returns one frozen identity for all requests with the same token', async () => {
    const verifier = createVerifier(options)
    const token = tokenOf({
      scope: 'a',
      auth_time: start,
      tenant: { id: 1, roles: ['r'] },
      aud: [audience],
    })
    const identity = await verifier.verify(token)
    assert.equal(await verifier.verify(token), identity)
    const nested = identity.claims['tenant'] as { id: number; roles: string[] }
    const writes: readonly (() => unknown)[] = [
      () => Object.assign(identity, { subject: 'root' }),
      () => (identity.scopes as string[]).push('admin'),
      () => Object.assign(identity.claims, { sub: 'root' }),
      () => Object.assign(nested, { id: 2 }),
      () => nested.roles.push('admin'),
      () => (identity.claims.aud as string[]).push('x'),
    ]
    for (const write of writes) assert.throws(write, TypeError)
    identity.authenticatedAt?.setTime(0)
    assert.deepEqual((await verifier.verify(token)).authenticatedAt, new Date(start * 1000))
  })
})

describe('verify() with acr', () => {
  const plain = { ...options, tokenType: 'JWT' } as const
  const verifyWith = async (
    claims: object,
    acr: string | readonly string[],
    some: VerifierOptions = options,
  ): Promise<'accepted' | object> => {
    try {
      await createVerifier<TokenType>(some).verify(tokenOf(claims), { acr })
      return 'accepted'
    } catch (error) {
      assert.ok(error instanceof TokenError, String(error))
      assert.equal(error.reason, 'login_too_weak')
      return error.shortfall
    }
  }
  const refused = (acrValues: readonly string[]): object => ({ acrValues })

  it('the identity has the acr and amr of the token, and both are frozen', async () => {
    for (const some of [options, plain]) {
      const token = tokenOf({ acr: 'mfa', amr: ['pwd', 'otp', 'mfa'] })
      const { acr, amr } = await createVerifier(some).verify(token)
      assert.deepEqual([acr, amr], ['mfa', ['pwd', 'otp', 'mfa']])
      assert.ok(Object.isFrozen(amr))
    }
  })

  it('identity.amr is undefined if an issuer of plain tokens writes no list of strings', async () => {
    for (const amr of ['pwd', [{ method: 'password', timestamp: start }], 7]) {
      const identity = await createVerifier(plain).verify(tokenOf({ amr }))
      assert.equal(identity.amr, undefined)
      assert.deepEqual(identity.claims['amr'], amr)
    }
  })

  it('verify() accepts a token only if its acr is one of the accepted values', async () => {
    for (const some of [options, plain]) {
      assert.equal(await verifyWith({ acr: 'mfa' }, 'mfa', some), 'accepted')
      assert.equal(await verifyWith({ acr: 'phr' }, ['phrh', 'phr'], some), 'accepted')
      for (const acr of ['pwd', 'MFA', 'mfa mfa', 'mf', '', undefined])
        assert.deepEqual(await verifyWith({ acr }, 'mfa', some), refused(['mfa']))
      const amr = ['mfa']
      assert.deepEqual(await verifyWith({ amr }, ['mfa', 'x'], some), refused(['mfa', 'x']))
    }
  })

  it('the acr `mfa` includes `pwd`, and a session without acr and amr counts as `pwd`', async () => {
    assert.equal(await verifyWith({ acr: 'mfa' }, 'pwd'), 'accepted')
    assert.equal(await verifyWith({}, 'pwd'), 'accepted')
    assert.equal(await verifyWith({}, ['phr', 'pwd']), 'accepted')
    for (const claims of [{ amr: ['pwd'] }, { sid: undefined }, { acr: 'other' }, { acr: '' }])
      assert.deepEqual(await verifyWith(claims, 'pwd'), refused(['pwd']))
  })

  it('with tokenType JWT, verify() compares acr exactly', async () => {
    for (const claims of [{ acr: 'mfa' }, {}, { acr: 'other' }])
      assert.deepEqual(await verifyWith(claims, 'pwd', plain), refused(['pwd']))
    assert.equal(await verifyWith({ acr: 'pwd' }, 'pwd', plain), 'accepted')
  })

  it('verify() throws a TypeError if acr is not a string or a list of strings', async () => {
    const verifier = createVerifier(options)
    for (const acr of ['', [], 7, null, 'a b', ['mfa', '']])
      await assert.rejects(
        verifier.verify(tokenOf({ acr: 'mfa' }), { acr: acr as string }),
        /^TypeError: .*`acr` must/,
      )
  })

  it('verify() checks acr at every call, even for a cached token', async () => {
    const verifier = createVerifier(options)
    const token = tokenOf({ acr: 'pwd' })
    assert.ok(await verifier.verify(token))
    await assert.rejects(verifier.verify(token, { acr: 'mfa' }), TokenError)
    assert.ok(await verifier.verify(token, { acr: 'pwd' }))
  })
})

describe('verify() with maxAgeSeconds', () => {
  const demand = { maxAgeSeconds: 300 }
  const tooOld = (verifier: Verifier, token: string): Promise<void> =>
    assert.rejects(verifier.verify(token, demand), (error) => {
      assert.ok(error instanceof TokenError, String(error))
      assert.deepEqual([error.code, error.status], ['insufficient_user_authentication', 401])
      assert.deepEqual(error.shortfall, demand)
      return true
    })

  it('maxAgeSeconds accepts a login of this age, but no older login (RFC 9470 §4)', async () => {
    const verifier = createVerifier(options)
    for (const age of [0, 299, 300])
      assert.ok(await verifier.verify(tokenOf({ auth_time: start - age }), demand))
    await tooOld(verifier, tokenOf({ auth_time: start - 301 }))
    await tooOld(verifier, tokenOf({ auth_time: start - 300.5 }))
  })

  it('maxAgeSeconds allows the same clock difference as `exp`', async () => {
    const verifier = createVerifier({ ...options, clockToleranceSeconds: 5 })
    assert.ok(await verifier.verify(tokenOf({ auth_time: start - 305 }), demand))
    await tooOld(verifier, tokenOf({ auth_time: start - 306 }))
  })

  it('maxAgeSeconds refuses an auth_time more than the clock tolerance in the future', async () => {
    const verifier = createVerifier({ ...options, clockToleranceSeconds: 5 })
    assert.ok(await verifier.verify(tokenOf({ auth_time: start + 5 }), demand))
    for (const ahead of [5.5, 6, 60, 1e9])
      await tooOld(verifier, tokenOf({ auth_time: start + ahead }))
    assert.ok(
      await verifier.verify(tokenOf({ auth_time: start + 60 })),
      'without maxAgeSeconds, verify ignores auth_time',
    )
  })

  it('verify() throws a TypeError if maxAgeSeconds is not a number greater than 0', async () => {
    const verifier = createVerifier({ ...options, clockToleranceSeconds: 5 })
    const token = tokenOf({ auth_time: start - 2_000 })
    for (const maxAgeSeconds of ['300', 0, -1, Number.NaN, null])
      await assert.rejects(
        verifier.verify(token, { maxAgeSeconds: maxAgeSeconds as number }),
        TypeError,
      )
  })

  it('maxAgeSeconds refuses a token without auth_time', async () => {
    await tooOld(createVerifier(options), tokenOf())
  })

  it('verify() checks maxAgeSeconds at every call, even for a cached token', async () => {
    const clock = movable()
    const verifier = createVerifier({ ...options, clock })
    const token = tokenOf({ auth_time: start })
    assert.ok(await verifier.verify(token, demand))
    clock.advance(301)
    assert.ok(await verifier.verify(token))
    await tooOld(verifier, token)
    assert.ok(await verifier.verify(token, {}))
  })

  it('verify() checks maxAgeSeconds last, after validity and revocation', async () => {
    const revocations = {
      state: 'current',
      isRevoked: () => true,
      refresh: async () => {},
    } as const
    const verifier = createVerifier({ ...options, revocations })
    await refuses(
      () => verifier.verify(tokenOf({ auth_time: 0 }), demand),
      'Token has been revoked',
    )
    await refuses(
      () => verifier.verify(tokenOf({ auth_time: 0, aud: 'x' }), demand),
      'Invalid token',
    )
  })
})

describe('verify() with a cached token', () => {
  it('verify() refuses a cached token from the moment it expires', async () => {
    const clock = movable()
    const verifier = createVerifier({ ...options, clock })
    const token = tokenOf({ exp: start + 10 })
    assert.ok(await verifier.verify(token))
    clock.advance(9)
    assert.ok(await verifier.verify(token))
    clock.advance(1)
    await refuses(() => verifier.verify(token), 'Token has expired')
    await refuses(() => verifier.verify(token), 'Token has expired')
  })

  it('verify() allows the same clock difference for cached tokens and new tokens', async () => {
    const clock = movable()
    const verifier = createVerifier({ ...options, clock, clockToleranceSeconds: 5 })
    const token = tokenOf({ exp: start + 10 })
    assert.ok(await verifier.verify(token))
    clock.advance(14)
    assert.ok(await verifier.verify(token))
    clock.advance(1)
    await refuses(() => verifier.verify(token), 'Token has expired')
  })

  /** A key set whose keys change while the verifier runs. */
  const live = (held: Map<string | undefined, VerificationKey>): KeySet => ({
    find: (keyId, algorithm) => keySetOf([...held.values()]).find(keyId, algorithm),
  })

  it('verify() refuses a cached token as soon as its key is removed', async () => {
    const held = new Map([[key.keyId, key]])
    const verifier = createVerifier({ ...options, keys: live(held) })
    assert.ok(await verifier.verify(tokenOf()))
    const token = tokenOf()
    assert.ok(await verifier.verify(token))
    held.delete(key.keyId)
    await refuses(() => verifier.verify(token), 'Invalid token', 'unknown_key')
    held.set(key.keyId, key)
    assert.ok(await verifier.verify(token))
  })

  it('verify() checks a cached token again if its kid now belongs to another key', async () => {
    const held = new Map<string | undefined, VerificationKey>([[key.keyId, key]])
    const verifier = createVerifier({ ...options, keys: live(held) })
    const token = tokenOf()
    assert.ok(await verifier.verify(token))
    held.set(key.keyId, generateKey('ES256', { keyId: key.keyId! }))
    await refuses(() => verifier.verify(token), 'Invalid token', 'wrong_signature')
  })

  it('verify() refuses a revoked cached token, and still accepts other cached tokens', async () => {
    const list = createRevocationList()
    const verifier = createVerifier({
      ...options,
      revocations: { ...list, state: 'current', refresh: async () => {} },
    })
    const token = tokenOf()
    const neighbour = tokenOf({ sid: 's2' })
    assert.ok(await verifier.verify(token))
    assert.ok(await verifier.verify(neighbour))
    list.add({ kind: 'session', value: 's1', expiresAt: (start + 600) * 1000 })
    await refuses(() => verifier.verify(token), 'Token has been revoked', 'revoked')
    await refuses(() => verifier.verify(tokenOf({ jti: 'k' })), 'Token has been revoked', 'revoked')
    assert.ok(await verifier.verify(neighbour))
    list.add({ kind: 'subject', value: 'alice', expiresAt: (start + 600) * 1000 })
    await refuses(() => verifier.verify(neighbour), 'Token has been revoked', 'revoked')
  })

  it('verify() refuses a cached token if one character is changed', async () => {
    const verifier = createVerifier(options)
    const token = tokenOf()
    assert.ok(await verifier.verify(token))
    for (let i = 0; i < token.length; i++) {
      const twin = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1)
      if (twin !== token) await refuses(() => verifier.verify(twin), 'Invalid token')
    }
    for (const other of [`${token} `, token.slice(0, -1), `${token}A`]) {
      await refuses(() => verifier.verify(other), 'Invalid token')
    }
  })

  it('a verifier does not use the cached tokens of another verifier', async () => {
    const token = tokenOf()
    const first = createVerifier(options)
    assert.ok(await first.verify(token))
    await refuses(
      () => createVerifier({ ...options, audience: 'other' }).verify(token),
      'Invalid token',
      'wrong_audience',
    )
    await refuses(
      () => createVerifier({ ...options, issuer: 'other' }).verify(token),
      'Invalid token',
      'wrong_issuer',
    )
    assert.ok(await first.verify(token))
  })

  it('verify() refuses a bad token at every call', async () => {
    const verifier = createVerifier(options)
    for (let i = 0; i < 3; i++)
      await refuses(() => verifier.verify(tokenOf({ aud: 'other' })), 'Invalid token')
    const expired = tokenOf({ exp: start })
    for (let i = 0; i < 3; i++) await refuses(() => verifier.verify(expired), 'Token has expired')
  })
})

describe('verify() while revocations are not current', () => {
  const unavailable = (verifier: Verifier, token: string): Promise<void> =>
    assert.rejects(verifier.verify(token), (error) => {
      assert.ok(error instanceof TokenError, String(error))
      assert.deepEqual([error.code, error.status], ['temporarily_unavailable', 503])
      assert.equal(error.retryAfterSeconds, 1)
      return true
    })

  for (const state of ['starting', 'stale'] as const) {
    it(`verify() refreshes revocations that are ${state}, and then accepts the token`, async () => {
      const revocations = revocationsIn(state, 'current')
      const verifier = createVerifier({ ...options, revocations })
      assert.equal((await verifier.verify(tokenOf())).subject, 'alice')
      assert.equal(revocations.refreshes, 1)
      assert.ok(await verifier.verify(tokenOf()))
      assert.equal(revocations.refreshes, 1)
    })

    it(`verify() rejects with 503 and never with 401 if revocations stay ${state}`, async () => {
      const verifier = createVerifier({ ...options, revocations: revocationsIn(state) })
      const token = tokenOf()
      await unavailable(verifier, token)
      await unavailable(verifier, token) // now the token is known
    })

    it(`verify() rejects a bad token with 401 even while revocations are ${state}`, async () => {
      const revocations = revocationsIn(state)
      const verifier = createVerifier({ ...options, revocations })
      await refuses(() => verifier.verify('not.a.token'), 'Invalid token')
      await refuses(() => verifier.verify(tokenOf({ aud: 'other' })), 'Invalid token')
      await refuses(() => verifier.verify(tokenOf({ exp: start })), 'Token has expired')
      assert.equal(revocations.refreshes, 0)
    })
  }

  it('verify() rejects with 503 if refreshing revocations fails', async () => {
    const revocations = {
      ...revocationsIn('stale'),
      refresh: () => Promise.reject(new Error('connection refused')),
    }
    await unavailable(createVerifier({ ...options, revocations }), tokenOf())
  })

  it('verify() rejects a cached token with 503 once revocations are stale', async () => {
    const revocations = revocationsIn('current', 'stale')
    const verifier = createVerifier({ ...options, revocations })
    const token = tokenOf()
    assert.ok(await verifier.verify(token))
    await revocations.refresh()
    await unavailable(verifier, token)
  })

  it('verify() refuses a token if refreshed revocations contain its session', async () => {
    const list = createRevocationList()
    let state: RevocationState = 'stale'
    const revocations: Revocations = {
      get state() {
        return state
      },
      isRevoked: (token) => list.isRevoked(token),
      async refresh() {
        list.add({ kind: 'session', value: 's1', expiresAt: (start + 600) * 1000 })
        state = 'current'
      },
    }
    await refuses(
      () => createVerifier({ ...options, revocations }).verify(tokenOf()),
      'Token has been revoked',
    )
  })
})

describe('recall()', () => {
  it('recall() returns an identity only for a token that was verified before', async () => {
    const clock = movable()
    const { verify, recall } = createVerifier({ ...options, clock })
    const token = tokenOf()
    assert.equal(recall!(token), undefined)
    const identity = await verify(token)
    assert.equal(recall!(token), identity)
    assert.equal(recall!(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`), undefined)
    assert.equal(recall!(tokenOf({ jti: 'another' })), undefined)
  })

  it('recall() returns undefined from the moment the token expires', async () => {
    const clock = movable()
    const { verify, recall } = createVerifier({ ...options, clock, clockToleranceSeconds: 0 })
    const token = tokenOf()
    const { claims } = await verify(token)
    clock.advance(claims.exp - clock.now() / 1000 - 1)
    assert.ok(recall!(token))
    clock.advance(1)
    assert.equal(recall!(token), undefined)
  })

  it('recall() returns undefined after the key of the token is removed', async () => {
    const clock = movable()
    let keys = keySetOf([key])
    const { verify, recall } = createVerifier({
      ...options,
      clock,
      keys: { find: (...wanted) => keys.find(...wanted) },
    })
    const token = tokenOf()
    await verify(token)
    keys = keySetOf([generateKey('ES256')])
    assert.equal(recall!(token), undefined)
  })

  it('recall() returns undefined for a revoked token, or if revocations are stale', async () => {
    const clock = movable()
    const revoked = new Set<string>()
    const revocations = {
      state: 'current' as RevocationState,
      isRevoked: ({ subject }: { readonly subject: string }) => revoked.has(subject),
      refresh: () => Promise.resolve(),
    }
    const { verify, recall } = createVerifier({ ...options, clock, revocations })
    const token = tokenOf()
    const { subject } = await verify(token)
    assert.ok(recall!(token))
    for (const state of ['starting', 'stale'] as const) {
      revocations.state = state
      assert.equal(recall!(token), undefined, state)
    }
    revocations.state = 'current'
    revoked.add(subject)
    assert.equal(recall!(token), undefined)
  })
})
