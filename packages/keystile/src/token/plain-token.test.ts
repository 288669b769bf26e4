import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { TokenError } from '../base/errors.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { signJws } from './jws.ts'
import { verifyPlainToken, type PlainTokenDemand } from './plain-token.ts'

const now = 1_800_000_000 // seconds
const key = generateKey('ES256')
const keys = keySetOf([key])
const good = { iss: 'i', aud: 'api', sub: 'ada', exp: now + 60 }
const demand: PlainTokenDemand = {
  issuer: 'i',
  audience: ['api'],
  clients: undefined,
  scopesFrom: 'scope',
  maxTokenAgeSeconds: undefined,
  clockToleranceSeconds: 5,
  clock: { now: () => now * 1000 },
}

/** Verifies a token with these claims and header members. `undefined` removes a member. */
function verify(claims: object = {}, changes: Partial<PlainTokenDemand> = {}, header: object = {}) {
  const payload = JSON.stringify({ ...good, ...claims })
  const token = signJws({ alg: 'ES256', kid: key.keyId, typ: 'JWT', ...header }, payload, key)
  return verifyPlainToken(token, keys, { ...demand, ...changes })
}

function refused(why: Why, ...args: Parameters<typeof verify>): void {
  assert.throws(
    () => verify(...args),
    (error) => {
      assert.ok(error instanceof TokenError)
      assertWhy(error, why)
      return true
    },
  )
}

describe('verifyPlainToken and the kind of a token', () => {
  for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt', 'at+jwt', 'application/at+jwt']) {
    it(`verifyPlainToken accepts a token whose typ is ${typ}`, () => {
      assert.equal(verify({}, {}, { typ }).claims.sub, 'ada')
    })
  }

  for (const typ of ['id+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'refresh+jwt', '', 1]) {
    it(`verifyPlainToken refuses a token whose typ is ${JSON.stringify(typ)}`, () => {
      refused(/^"typ" is neither JWT nor at\+jwt$/, {}, {}, { typ })
    })
  }

  for (const name of [
    'nonce',
    'at_hash',
    'c_hash',
    's_hash',
    'urn:openid:params:jwt:claim:rt_hash',
    'urn:openid:params:jwt:claim:auth_req_id',
    'events',
    'token_introspection',
    'ati',
  ]) {
    it(`verifyPlainToken refuses a token with the claim ${name}, even with the value null`, () => {
      for (const value of ['x', null, {}]) refused(new RegExp(`"${name}"`), { [name]: value })
    })
  }

  for (const [name, value] of [
    ['token_use', 'id'],
    ['token_use', 'refresh'],
    ['token_use', 'Access'],
    ['token_use', ['access']],
    ['token_use', null],
    ['typ', 'ID'],
    ['typ', 'Refresh'],
    ['typ', 'Offline'],
    ['typ', 'Logout'],
    ['type', 'refresh'],
    ['token_type', 'refresh_token'],
    ['type', 'id-token'],
    ['typ', 'RefreshToken'],
    ['typ', 'Serialized-ID'],
    ['type', 'rt'],
    ['type', 'refresh_jwt'],
    ['type', 'jwt.refresh.v2'],
    ['token_type', 'ID_TOKEN '],
    ['tokenType', 'idToken'],
    ['tokenType', 'userRefreshTokenV2'],
    ['type', 'IDToken'],
    ['token_kind', 'RT'],
    ['use', 'refresh'],
  ] as const) {
    it(`verifyPlainToken refuses a token whose claim ${name} is ${JSON.stringify(value)}`, () => {
      refused(new RegExp(`"${name}"`), { [name]: value })
    })
  }

  it('verifyPlainToken refuses a claim that names the kind and is not a string', () => {
    for (const name of ['typ', 'type', 'token_type', 'tokenType', 'token_kind', 'use']) {
      for (const value of [['ID'], null, 7, { toString: 1 }])
        refused(new RegExp(`^"${name}" is not a string$`), { [name]: value })
    }
  })

  it('verifyPlainToken refuses a token that `cnf` binds to a key (RFC 7800 §3.1)', () => {
    for (const cnf of [{ jkt: 'x' }, { kid: 'x' }, { 'x5t#S256': 'x' }, null])
      refused(/^"cnf" binds the token/, { cnf })
  })

  it('verifyPlainToken accepts the claims token_use "access" and typ "Bearer"', () => {
    assert.equal(verify({ token_use: 'access', typ: 'Bearer' }).claims.sub, 'ada')
  })

  it('verifyPlainToken accepts a claim type that only begins or ends like "id"', () => {
    for (const type of ['paid', 'idle', 'article', 'cart'])
      assert.equal(verify({ type }).claims.sub, 'ada')
  })
})

describe('verifyPlainToken and required claims', () => {
  for (const name of ['sub', 'exp']) {
    it(`verifyPlainToken refuses a token without ${name}`, () => {
      refused(new RegExp(`^"${name}" is missing$`), { [name]: undefined })
      refused(/./, { [name]: null })
    })
  }

  it('verifyPlainToken refuses a token if iss is missing or wrong', () => {
    for (const iss of [undefined, 'i/', 'I']) refused('wrong_issuer', { iss })
  })

  it('verifyPlainToken refuses an empty sub, sid or client, and a wrong auth_time or acr', () => {
    refused(/^"sub" is empty$/, { sub: '' })
    for (const name of ['sid', 'client_id', 'azp', 'cid', 'appid']) {
      for (const value of ['', 7, null, ['a']]) refused(new RegExp(`^"${name}"`), { [name]: value })
    }
    for (const value of ['1', null]) refused(/^"auth_time"/, { auth_time: value })
    for (const value of [1, null, ['1']]) refused(/^"acr" is not a string$/, { acr: value })
    assert.equal(verify({ sid: 's', auth_time: now }).claims.sub, 'ada')
  })

  it('verifyPlainToken accepts a token without iat, jti and client', () => {
    const { clientId, scopes, expires } = verify()
    assert.deepEqual([clientId, scopes, expires], [undefined, [], now + 60])
  })
})

describe('verifyPlainToken and the audience', () => {
  const bound = { audience: { claim: 'azp', values: ['https://app.example', 'other'] } }

  it('verifyPlainToken refuses a token whose aud is missing or names no accepted audience', () => {
    for (const aud of ['other', ['other'], undefined, []]) refused('wrong_audience', { aud })
    assert.equal(verify({ aud: ['other', 'api'] }).claims.sub, 'ada')
  })

  it('with audience { claim: "azp" }, verifyPlainToken accepts a token without aud', () => {
    for (const azp of ['https://app.example', 'other'])
      assert.equal(verify({ aud: undefined, azp }, bound).clientId, azp)
    const groups = { audience: { claim: 'apis', values: ['b'] } }
    assert.equal(verify({ aud: undefined, apis: ['a', 'b'] }, groups).claims.sub, 'ada')
  })

  it('with audience { claim: "azp" }, verifyPlainToken refuses a wrong azp', () => {
    for (const azp of [undefined, 'elsewhere', 'https://app.example/'])
      refused('wrong_audience', { aud: undefined, azp }, bound)
    const inherited = { audience: { claim: 'toString', values: ['a'] } }
    refused(/^"toString" is neither/, { aud: undefined }, inherited)
  })

  it('with audience { claim: "azp" }, verifyPlainToken checks aud too, if there is one', () => {
    refused('wrong_audience', { aud: 'elsewhere', azp: 'https://app.example' }, bound)
    refused('wrong_audience', { aud: [], azp: 'https://app.example' }, bound)
    assert.equal(verify({ aud: 'other', azp: 'https://app.example' }, bound).claims.sub, 'ada')
  })

  it('with audience { claim: "azp" }, verifyPlainToken refuses a token without azp', () => {
    refused('wrong_audience', { aud: 'other' }, bound)
    refused('wrong_audience', { aud: 'other', azp: 'elsewhere' }, bound)
  })

  it('verifyPlainToken accepts a random token only if its audience claim names the API', () => {
    const names = fc.constantFrom('api', 'api', 'api', 'app', 'x', '', 'API', 'api ', 'ap')
    const value = fc.oneof(
      names,
      fc.array(names),
      fc.constantFrom(null, 7, true, {}),
      fc.anything(),
    )
    const audience = fc.oneof(
      fc.constant<PlainTokenDemand['audience']>(['api']),
      fc.constantFrom('azp', 'scp', 'apis').map((claim) => ({ claim, values: ['api'] })),
    )
    const claims = fc.record(
      { aud: value, azp: value, scp: value, apis: value, client_id: value },
      { requiredKeys: [] },
    )
    const holds = (held: unknown): boolean =>
      held === 'api' || (Array.isArray(held) && held.includes('api'))
    let accepted = 0

    fc.assert(
      fc.property(claims, audience, (claims, audience) => {
        const sent: Record<string, unknown> = JSON.parse(
          JSON.stringify({ aud: undefined, ...claims }),
        )
        const binding = 'claim' in audience ? audience.claim : 'aud'
        try {
          verify({ aud: undefined, ...sent }, { audience })
          accepted += 1
          assert.ok(holds(sent[binding]), JSON.stringify(sent))
          assert.ok(!('aud' in sent) || holds(sent['aud']), JSON.stringify(sent))
        } catch (error) {
          if (!(error instanceof TokenError)) throw error
        }
      }),
      { numRuns: 3_000 },
    )
    assert.ok(accepted > 3, `only ${accepted} tokens were accepted`)
  })
})

describe('verifyPlainToken and the client', () => {
  it('verifyPlainToken takes the client from client_id, azp, cid or appid, in this order', () => {
    const all = { client_id: 'a', azp: 'b', cid: 'c', appid: 'd' }
    assert.equal(verify(all).clientId, 'a')
    assert.equal(verify({ ...all, client_id: undefined }).clientId, 'b')
    assert.equal(verify({ cid: 'c', appid: 'd' }).clientId, 'c')
    assert.equal(verify({ appid: 'd' }).clientId, 'd')
  })

  for (const name of ['client_id', 'azp', 'cid', 'appid']) {
    it(`verifyPlainToken refuses an aud that equals ${name}, as in ID tokens`, () => {
      for (const aud of ['api', ['api', 'other']]) refused(/ID token/, { aud, [name]: 'api' })
      refused(/ID token/, { aud: ['api', 'app'], [name]: 'app' })
      const audience = { claim: 'azp', values: ['api'] }
      refused(/ID token/, { aud: 'api', azp: 'api', [name]: 'api' }, { audience })
    })
  }

  it('verifyPlainToken accepts an aud equal to the client, if `clients` lists this client', () => {
    assert.equal(verify({ azp: 'api' }, { clients: ['api'] }).clientId, 'api')
  })

  it('verifyPlainToken refuses a token from a client that `clients` does not contain', () => {
    const clients = { clients: ['app'] }
    assert.equal(verify({ azp: 'app' }, clients).clientId, 'app')
    refused('wrong_client', { azp: 'other' }, clients)
    refused('wrong_client', {}, clients)
    refused('wrong_client', { client_id: 'other', azp: 'app' }, clients)
    refused('wrong_client', { client_id: 'app', azp: 'other' }, clients)
    assert.equal(verify({ client_id: 'app', azp: 'app' }, clients).clientId, 'app')
  })
})

describe('verifyPlainToken and the scopes', () => {
  it('verifyPlainToken reads the scopes only from the claim that `scopesFrom` names', () => {
    const claims = { scope: 'a b', scp: ['c', 'd'], permissions: ['e:f'] }
    assert.deepEqual(verify(claims).scopes, ['a', 'b'])
    assert.deepEqual(verify(claims, { scopesFrom: 'scp' }).scopes, ['c', 'd'])
    assert.deepEqual(verify(claims, { scopesFrom: 'permissions' }).scopes, ['e:f'])
    assert.deepEqual(verify({}, { scopesFrom: 'permissions' }).scopes, [])
  })

  it('verifyPlainToken reads scp as a string with spaces, as Entra ID writes it', () => {
    assert.deepEqual(verify({ scp: 'a  b a' }, { scopesFrom: 'scp' }).scopes, ['a', 'b'])
  })

  it('verifyPlainToken refuses scopes that are neither a string nor an array of strings', () => {
    for (const scope of [7, null, { a: 1 }, ['a', 7], 'a"b', 'a\nb']) {
      refused('malformed_claim', { scope })
      refused('malformed_claim', { scp: scope }, { scopesFrom: 'scp' })
    }
  })

  it('verifyPlainToken uses the scopes that the app’s function scopesFrom returns', () => {
    const scopesFrom = (claims: object): readonly string[] => Object.keys(claims).slice(0, 2)
    assert.deepEqual(verify({}, { scopesFrom }).scopes, ['iss', 'aud'])
  })

  it('verifyPlainToken copies the array from scopesFrom before it checks the scopes', () => {
    let reads = 0
    const changing: string[] = ['a']
    Object.defineProperty(changing, 0, { get: () => (++reads === 1 ? 'a' : 'admin') })
    assert.deepEqual(verify({}, { scopesFrom: () => changing }).scopes, ['a'])
    const sparse: string[] = []
    sparse.length = 1
    assert.throws(() => verify({}, { scopesFrom: () => sparse }), { name: 'TypeError' })
  })

  it('verifyPlainToken throws a TypeError if scopesFrom returns no array of strings', () => {
    for (const wrong of ['null', '"a b"', '[1]', '{}']) {
      const scopesFrom = (): readonly string[] => JSON.parse(wrong)
      assert.throws(() => verify({}, { scopesFrom }), { name: 'TypeError', message: /scopesFrom/ })
    }
  })
})

describe('verifyPlainToken and the age of a token', () => {
  const young = { maxTokenAgeSeconds: 30 }

  it('verifyPlainToken refuses a token older than maxTokenAgeSeconds plus the tolerance', () => {
    assert.equal(verify({ iat: now - 34 }, young).expires, now - 4)
    refused('expired', { iat: now - 35 }, young)
    assert.equal(verify({ iat: now - 35 }).expires, now + 60)
  })

  it('verifyPlainToken returns exp as `expires` if iat plus maxTokenAgeSeconds is later', () => {
    assert.equal(verify({ iat: now, exp: now + 10 }, young).expires, now + 10)
  })

  it('with maxTokenAgeSeconds, verifyPlainToken refuses a missing iat or a future iat', () => {
    refused(/^"iat" is missing$/, {}, young)
    assert.equal(verify({ iat: now + 5 }, young).expires, now + 35)
    refused(/^"iat" is in the future$/, { iat: now + 6 }, young)
  })

  it('verifyPlainToken gives the reason "expired" only if everything else is right', () => {
    for (const wrong of [{ aud: 'x' }, { nonce: 'n' }, { sub: '' }, { scope: 7 }, { azp: 'api' }]) {
      assert.throws(
        () => verify({ exp: now - 60, ...wrong }),
        (error) => error instanceof TokenError && error.reason !== 'expired',
      )
    }
    refused('expired', { exp: now - 5 })
  })
})
