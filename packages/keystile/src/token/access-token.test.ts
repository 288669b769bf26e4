import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { TokenError } from '../base/errors.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken, verifyAccessToken, type VerifiedToken } from './access-token.ts'
import { signJws } from './jws.ts'
import { decodeJwtUnsafe } from './jwt.ts'

const now = 1_800_000_000 // seconds
const clock = { now: () => now * 1000 }
const key = generateKey('ES256')
const demand = {
  issuer: 'https://auth.example',
  audience: 'https://api.example',
  clockToleranceSeconds: 0,
  clock,
}

const claims = {
  iss: 'https://auth.example',
  sub: 'alice',
  aud: 'https://api.example',
  exp: now + 600,
  iat: now,
  jti: 'j',
  client_id: 'app',
}
const token = (changes: object = {}, typ: unknown = 'at+jwt'): string =>
  signJws({ alg: 'ES256', kid: key.keyId, typ }, JSON.stringify({ ...claims, ...changes }), key)

const verify = (text: string): VerifiedToken => verifyAccessToken(text, keySetOf([key]), demand)

function refuses(text: string, why?: Why, message = 'Invalid token'): void {
  assert.throws(
    () => verify(text),
    (error) => {
      assert.ok(error instanceof TokenError, String(error))
      assert.deepEqual([error.code, error.message], ['invalid_token', message])
      if (why !== undefined) assertWhy(error, why)
      return true
    },
  )
}

describe('issueAccessToken', () => {
  const content = {
    issuer: 'https://auth.example',
    audience: 'https://api.example',
    subject: 'alice',
    clientId: 'app',
    sessionId: 'session',
    scopes: ['items:read', 'items:write'],
    authenticatedAt: (now - 30) * 1000 + 999,
  }

  it('issueAccessToken makes a token with the claims of RFC 9068 §2.2', () => {
    const issued = decodeJwtUnsafe(issueAccessToken(content, key, 600, clock))
    assert.deepEqual(issued.header, { alg: 'ES256', kid: key.keyId, typ: 'at+jwt' })
    const { jti, ...rest } = issued.claims
    assert.match(jti ?? '', /^[\w-]{22}$/)
    assert.deepEqual(rest, {
      iss: 'https://auth.example',
      sub: 'alice',
      aud: 'https://api.example',
      client_id: 'app',
      sid: 'session',
      scope: 'items:read items:write',
      auth_time: now - 30,
      iat: now,
      exp: now + 600,
    })
  })

  it('issueAccessToken omits sid and auth_time if no user has logged in (RFC 9068 §2.2.1)', () => {
    const { sessionId: _, authenticatedAt: __, ...ofClient } = content
    const { claims } = decodeJwtUnsafe(issueAccessToken(ofClient, key, 600, clock))
    assert.deepEqual(
      Object.keys(claims).toSorted(),
      'aud client_id exp iat iss jti scope sub'.split(' '),
    )
  })

  it('issueAccessToken gives each token its own jti', () => {
    const jtis = Array.from(
      { length: 50 },
      () => decodeJwtUnsafe(issueAccessToken(content, key, 600, clock)).claims.jti,
    )
    assert.equal(new Set(jtis).size, 50)
  })

  it('verifyAccessToken accepts a token of issueAccessToken', () => {
    const verified = verify(issueAccessToken(content, key, 600, clock))
    assert.deepEqual(verified.scopes, ['items:read', 'items:write'])
    assert.equal(verified.claims.sub, 'alice')
    assert.equal(verified.key, key)
  })
})

describe('verifyAccessToken', () => {
  it('verifyAccessToken refuses a token that `cnf` binds to a key (RFC 7800 §3.1)', () => {
    for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, null])
      refuses(token({ cnf }), /^"cnf" binds the token to a key/)
  })

  it('verifyAccessToken accepts a token that has only the required claims (RFC 9068 §2.2)', () => {
    const verified = verify(token())
    assert.deepEqual(verified.claims, claims)
    assert.deepEqual(verified.scopes, [])
  })

  for (const typ of [
    'JWT',
    'jwt',
    'dpop+jwt',
    'logout+jwt',
    'id+jwt',
    'rt+jwt',
    'secevent+jwt',
    '',
    null,
    1,
  ]) {
    it(`verifyAccessToken refuses typ ${JSON.stringify(typ)} (RFC 9068 §4)`, () => {
      refuses(token({}, typ), /"typ" is not at\+jwt/)
    })
  }

  it('verifyAccessToken refuses a token without typ, such as an ID token', () => {
    refuses(
      signJws({ alg: 'ES256', kid: key.keyId }, JSON.stringify(claims), key),
      /"typ" is not at\+jwt/,
    )
  })

  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt']) {
    it(`verifyAccessToken accepts typ ${typ}`, () => {
      assert.equal(verify(token({}, typ)).claims.sub, 'alice')
    })
  }

  for (const name of ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id']) {
    const whyMissing =
      name === 'iss' ? 'wrong_issuer' : name === 'aud' ? 'wrong_audience' : 'missing_claim'
    it(`verifyAccessToken refuses a token without ${name} (RFC 9068 §2.2)`, () => {
      refuses(token({ [name]: undefined }), whyMissing)
      refuses(token({ [name]: null }), new RegExp(`"${name}"`))
    })
  }

  const wrong: readonly [string, unknown][] = [
    ['sub', ''],
    ['sub', 7],
    ['sub', ['alice']],
    ['sub', {}],
    ['client_id', ''],
    ['client_id', 7],
    ['client_id', ['app']],
    ['client_id', true],
    ['sid', ''],
    ['sid', 7],
    ['sid', null],
    ['sid', ['session']],
    ['jti', 7],
    ['iat', 'now'],
    ['auth_time', 'yesterday'],
    ['auth_time', null],
    ['auth_time', []],
    ['acr', 7],
    ['acr', null],
    ['acr', ['mfa']],
    ['amr', 'pwd'],
    ['amr', null],
    ['amr', ['pwd', 7]],
    ['amr', {}],
    ['scope', 7],
    ['scope', null],
    ['scope', ['items:read']],
    ['scope', {}],
    ['scope', 'a"b'],
    ['scope', 'a\nb'],
    ['scope', 'x'.repeat(4097)],
  ]
  for (const [name, value] of wrong) {
    const text = JSON.stringify(value)
    const shown = text.length > 30 ? '4,097 characters long' : text

    it(`verifyAccessToken refuses a token whose ${name} is ${shown}`, () => {
      refuses(token({ [name]: value }), new RegExp(`"${name}"`))
    })
  }

  it('verifyAccessToken refuses an infinite auth_time', () => {
    const text = JSON.stringify(claims).replace('{', '{"auth_time":1e309,')
    refuses(signJws({ alg: 'ES256', kid: key.keyId, typ: 'at+jwt' }, text, key), /"auth_time"/)
  })

  it('verifyAccessToken refuses a wrong issuer, a wrong audience and an expired token', () => {
    refuses(token({ iss: 'https://auth.example/' }), 'wrong_issuer')
    refuses(token({ aud: 'https://other.example' }), 'wrong_audience')
    refuses(token({ exp: now }), 'expired', 'Token has expired')
    refuses(token({ exp: now, aud: 'https://other.example' }), 'wrong_audience')
  })

  it('verifyAccessToken says "Token has expired" only if everything else is right', () => {
    for (const fault of [
      { sub: '' },
      { client_id: 7 },
      { sid: 7 },
      { auth_time: 'x' },
      { acr: 7 },
      { amr: 'pwd' },
      { scope: 7 },
    ]) {
      refuses(token({ exp: now - 60, ...fault }), 'malformed_claim')
    }
  })

  it('verifyAccessToken returns each scope once, in the order of the token', () => {
    assert.deepEqual(verify(token({ scope: 'b a b' })).scopes, ['b', 'a'])
    assert.deepEqual(verify(token({ scope: '' })).scopes, [])
  })
})
