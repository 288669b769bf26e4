import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { toBase64url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { TokenError } from '../base/errors.ts'
import { generateKey } from '../keys/generate-key.ts'
import { importKey } from '../keys/import-key.ts'
import { importJwkSet } from '../keys/jwk-set.ts'
import { exportPublicJwk } from '../keys/jwk.ts'
import { sign } from '../keys/signature.ts'
import type { JwtClaims } from './claims.ts'
import { signJws } from './jws.ts'
import { decodeJwtUnsafe, signJwt, verifyJwt, type VerifyOptions } from './jwt.ts'

const now = 1_800_000_000 // seconds
const at = (seconds: number): { now(): number } => ({ now: () => seconds * 1000 })
const key = generateKey('ES256')

/** A token with a valid signature over exactly this payload. */
const signed = (payload: object | string, header: object = {}): string =>
  signJws(
    { alg: 'ES256', kid: key.keyId, typ: 'JWT', ...header },
    typeof payload === 'string' ? payload : JSON.stringify(payload),
    key,
  )

const verify = (token: string, options: VerifyOptions = {}): unknown =>
  verifyJwt(token, key, { clock: at(now), clockToleranceSeconds: 0, ...options })

function refuses(act: () => unknown, why?: Why, message = 'Invalid token'): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof TokenError, String(error))
    assert.equal(error.code, 'invalid_token')
    assert.equal(error.message, message)
    if (why !== undefined) assertWhy(error, why)
    return true
  })
}

const valid = { exp: now + 60 }

describe('verifyJwt', () => {
  it('verifyJwt returns the claims of a valid token', () => {
    const claims = {
      iss: 'a',
      sub: 'b',
      jti: 'c',
      exp: now + 1,
      nbf: now,
      iat: now,
      own: { deep: [1] },
    }
    assert.deepEqual(verify(signed(claims)), claims)
  })

  it('verifyJwt and signJwt refuse a value that is not a key; the error hides the value', () => {
    const ours = /^a key must come from importKey\(\) or generateKey\(\)/
    for (const none of ['-----BEGIN PUBLIC KEY-----', null, undefined, {}, { find: 'kid' }, 1]) {
      const given = none as unknown as typeof key
      assert.throws(
        () => verifyJwt(signed(valid), given),
        (error) => error instanceof TypeError && ours.test(error.message),
      )
      assert.throws(
        () => signJwt(valid, given),
        (error) => error instanceof TypeError && ours.test(error.message),
      )
    }
  })

  it('verifyJwt accepts one key or a set of keys', () => {
    const set = importJwkSet({ keys: [exportPublicJwk(key)] })
    assert.deepEqual(verifyJwt(signed(valid), set, { clock: at(now) }), valid)
    assert.deepEqual(
      verifyJwt(signed(valid), importKey(exportPublicJwk(key)), { clock: at(now) }),
      valid,
    )
  })

  describe('exp', () => {
    const wrong = ['null', '"1900000000"', '[1900000000]', '{}', 'true', '1e309', '-1e309', '""']
    for (const exp of wrong) {
      it(`verifyJwt refuses exp ${exp}, which is not a number (RFC 7519 §4.1.4)`, () => {
        refuses(() => verify(signed(`{"exp":${exp}}`)), /"exp" is not a finite number/)
      })
    }

    it('verifyJwt refuses a token without exp', () => {
      refuses(() => verify(signed({})), /"exp" is missing/)
      refuses(() => verify(signed({ iat: now, nbf: now })), /"exp" is missing/)
    })

    it('verifyJwt refuses a token at its exp and later, but not 1 ms before', () => {
      assert.ok(
        verifyJwt(signed({ exp: now }), key, { clock: at(now - 0.001), clockToleranceSeconds: 0 }),
      )
      refuses(() => verify(signed({ exp: now })), 'expired', 'Token has expired')
      refuses(() => verify(signed({ exp: 0 })), 'expired', 'Token has expired')
      refuses(() => verify(signed({ exp: -1 })), 'expired', 'Token has expired')
    })

    it('verifyJwt accepts a fraction in exp (RFC 7519 §2)', () => {
      assert.deepEqual(verify(signed({ exp: now + 0.5 })), { exp: now + 0.5 })
      const late = { clock: at(now + 0.5) }
      refuses(() => verify(signed({ exp: now + 0.5 }), late), 'expired', 'Token has expired')
    })

    for (const tolerance of [0, 5, 60]) {
      it(`verifyJwt with ${tolerance} s tolerance refuses a token ${tolerance} s after exp`, () => {
        const late = (seconds: number): VerifyOptions => ({
          clock: at(now + seconds),
          clockToleranceSeconds: tolerance,
        })
        const token = signed({ exp: now })
        assert.ok(verify(token, late(tolerance - 1)))
        refuses(() => verify(token, late(tolerance)), 'expired', 'Token has expired')
      })
    }

    it('by default, verifyJwt accepts a token until 5 seconds after exp', () => {
      assert.ok(verifyJwt(signed({ exp: now - 4 }), key, { clock: at(now) }))
      assert.throws(
        () => verifyJwt(signed({ exp: now - 5 }), key, { clock: at(now) }),
        /Token has expired/,
      )
    })
  })

  describe('clockToleranceSeconds', () => {
    for (const seconds of [61, 60.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 3_600]) {
      it(`verifyJwt refuses a clockToleranceSeconds of ${seconds}`, () => {
        assert.throws(() => verify(signed(valid), { clockToleranceSeconds: seconds }), {
          name: 'TypeError',
          message: `\`clockToleranceSeconds\` must be a number from 0 to 60; it is ${seconds}`,
        })
      })
    }
  })

  describe('nbf', () => {
    it('verifyJwt refuses a token before its nbf (RFC 7519 §4.1.5)', () => {
      refuses(() => verify(signed({ ...valid, nbf: now + 1 })), 'not_yet_valid')
      assert.ok(verify(signed({ ...valid, nbf: now })))
    })

    it('verifyJwt applies clockToleranceSeconds to nbf too', () => {
      assert.ok(verify(signed({ ...valid, nbf: now + 5 }), { clockToleranceSeconds: 5 }))
      refuses(
        () => verify(signed({ ...valid, nbf: now + 5.5 }), { clockToleranceSeconds: 5 }),
        'not_yet_valid',
      )
    })
  })

  for (const name of ['nbf', 'iat']) {
    for (const value of ['null', '"1"', '[]', '1e309', 'false']) {
      it(`verifyJwt refuses the ${name} ${value}, which is not a number`, () => {
        refuses(
          () => verify(signed(`{"exp":${now + 9},"${name}":${value}}`)),
          /is not a finite number/,
        )
      })
    }
  }

  for (const name of ['iss', 'sub', 'jti']) {
    for (const value of ['null', '1', '["a"]', '{}', 'true']) {
      it(`verifyJwt refuses the ${name} ${value}, which is not a string`, () => {
        refuses(() => verify(signed(`{"exp":${now + 9},"${name}":${value}}`)), /is not a string/)
      })
    }
  }

  describe('issuer', () => {
    const issuer = 'https://auth.example'
    for (const iss of [
      'https://auth.example/',
      'https://auth.example.attacker.test',
      'https://auth.exampl',
      'https://auth',
      'HTTPS://AUTH.EXAMPLE',
      ' https://auth.example',
      '',
    ]) {
      it(`verifyJwt refuses iss ${JSON.stringify(iss)} if the option issuer differs`, () => {
        refuses(() => verify(signed({ ...valid, iss }), { issuer }), 'wrong_issuer')
      })
    }

    it('verifyJwt refuses a token if iss is missing or an array', () => {
      refuses(() => verify(signed(valid), { issuer }), 'wrong_issuer')
      refuses(
        () => verify(signed({ ...valid, iss: [issuer] }), { issuer }),
        /"iss" is not a string/,
      )
      assert.ok(verify(signed({ ...valid, iss: issuer }), { issuer }))
    })
  })

  describe('audience', () => {
    const accepted: readonly [unknown, string | readonly string[]][] = [
      ['me', 'me'],
      [['me'], 'me'],
      [['other', 'me'], 'me'],
      ['me', ['us', 'me']],
      [
        ['x', 'us'],
        ['us', 'me'],
      ],
    ]
    for (const [aud, audience] of accepted) {
      it(`verifyJwt for ${JSON.stringify(audience)} accepts the aud ${JSON.stringify(aud)}`, () => {
        assert.ok(verify(signed({ ...valid, aud }), { audience }))
      })
    }

    const refused: readonly [unknown, string | readonly string[]][] = [
      ['other', 'me'],
      ['', 'me'],
      ['ME', 'me'],
      ['me/', 'me'],
      ['m', 'me'],
      [[], 'me'],
      [['other'], ['us', 'me']],
      ['me', []],
      [undefined, 'me'],
    ]
    for (const [aud, audience] of refused) {
      it(`verifyJwt for ${JSON.stringify(audience)} refuses the aud ${JSON.stringify(aud)}`, () => {
        refuses(() => verify(signed({ ...valid, aud }), { audience }), 'wrong_audience')
      })
    }

    for (const aud of [
      null,
      1,
      {},
      true,
      [1],
      ['me', 1],
      ['me', null],
      [['me']],
      { 0: 'me', length: 1 },
    ]) {
      it(`verifyJwt refuses aud ${JSON.stringify(aud)}, because every aud must be a string`, () => {
        refuses(() => verify(signed({ ...valid, aud }), { audience: 'me' }), /"aud" is neither/)
      })
    }

    it('verifyJwt without the option audience refuses a token with aud (RFC 7519 §4.1.3)', () => {
      for (const aud of ['me', ['me'], []])
        refuses(() => verify(signed({ ...valid, aud })), 'wrong_audience')
    })
  })

  it('verifyJwt compares the claim `sub` with the option `subject`, letter by letter', () => {
    assert.ok(verify(signed({ ...valid, sub: 'alice' }), { subject: 'alice' }))
    for (const sub of ['Alice', 'alice ', '', undefined]) {
      refuses(() => verify(signed({ ...valid, sub }), { subject: 'alice' }), 'wrong_subject')
    }
  })

  it('verifyJwt refuses a token if a required claim is missing or null', () => {
    const options = { requiredClaims: ['tenant'] }
    assert.ok(verify(signed({ ...valid, tenant: '' }), options))
    refuses(() => verify(signed(valid), options), /"tenant" is missing/)
    refuses(() => verify(signed({ ...valid, tenant: null }), options), /"tenant" is missing/)
  })

  describe('type', () => {
    for (const typ of ['at+jwt', 'AT+JWT', 'At+Jwt', 'application/at+jwt', 'APPLICATION/AT+JWT']) {
      it(`verifyJwt accepts typ ${typ} if type is at+jwt (RFC 7515 §4.1.9)`, () => {
        assert.ok(verify(signed(valid, { typ }), { type: 'at+jwt' }))
      })
    }

    const others = [
      'JWT',
      'jwt',
      'dpop+jwt',
      'logout+jwt',
      'at+jwt ',
      'text/at+jwt',
      'application/application/at+jwt',
      'atapplication/+jwt',
      '',
    ]
    for (const typ of [...others, undefined, null, 1, ['at+jwt']]) {
      it(`verifyJwt refuses typ ${JSON.stringify(typ)} if type is at+jwt (RFC 8725 §3.11)`, () => {
        refuses(() => verify(signed(valid, { typ }), { type: 'at+jwt' }), /"typ" is not at\+jwt/)
      })
    }

    it('verifyJwt ignores the case of the header `typ` and of the option `type`', () => {
      assert.ok(verify(signed(valid), { type: 'JWT' }))
      assert.ok(verify(signed(valid, { typ: 'jwt' }), { type: 'JWT' }))
      assert.ok(verify(signed(valid, { typ: 'example+jwt' }), { type: 'application/Example+JWT' }))
      refuses(() => verify(signed(valid, { typ: 'at+jwt' }), { type: 'JWT' }), /"typ" is not JWT/)
    })
  })

  describe('payload', () => {
    const wrong: readonly [string, string | Buffer, RegExp][] = [
      ['empty', '', /not JSON/],
      ['not JSON', 'hello', /not JSON/],
      ['an array', '[{"exp":9999999999}]', /not a JSON object/],
      ['a string', '"x"', /not a JSON object/],
      ['null', 'null', /not a JSON object/],
      ['JSON after a byte order mark', `\ufeff{"exp":${now + 9}}`, /not JSON/],
      [
        'not UTF-8',
        Buffer.concat([
          Buffer.from('{"exp":9999999999,"sub":"'),
          Buffer.from([0xff]),
          Buffer.from('"}'),
        ]),
        /UTF-8/,
      ],
      ['JSON in UTF-16', Buffer.from('{"exp":9999999999}', 'utf16le'), /not JSON/],
      ['an object with a duplicate member', `{"exp":1,"exp":${now + 9}}`, /member appears twice/],
      [
        'an object with a duplicate member in two spellings',
        `{"exp":1,"\\u0065xp":${now + 9}}`,
        /member appears twice/,
      ],
      [
        'an object with a duplicate nested member',
        `{"exp":${now + 9},"act":{"sub":"a","sub":"b"}}`,
        /member appears twice/,
      ],
      ['an object with a lone surrogate', `{"exp":${now + 9},"sub":"\\ud800"}`, /surrogate/],
      [
        'JSON with 33 levels',
        `{"exp":${now + 9},"a":${'['.repeat(32)}${']'.repeat(32)}}`,
        /nested deeper/,
      ],
    ]
    for (const [name, payload, reason] of wrong) {
      it(`verifyJwt refuses a payload that is ${name} (RFC 7519 §7.2)`, () => {
        const input = `${toBase64url(JSON.stringify({ alg: 'ES256', kid: key.keyId }))}.${toBase64url(payload)}`
        refuses(() => verify(`${input}.${toBase64url(sign(key, Buffer.from(input)))}`), reason)
      })
    }
  })

  describe('"Token has expired" as an error of verifyJwt', () => {
    const expired = { iss: 'i', aud: 'me', sub: 's', exp: now - 60 }
    const demand = {
      issuer: 'i',
      audience: 'me',
      subject: 's',
      type: 'JWT',
      requiredClaims: ['sub'],
    }
    it('verifyJwt says "Token has expired" if everything else is right', () => {
      refuses(() => verify(signed(expired), demand), 'expired', 'Token has expired')
    })

    const alsoWrong: readonly [string, object, object, Why][] = [
      ['issuer', { iss: 'j' }, {}, 'wrong_issuer'],
      ['audience', { aud: 'you' }, {}, 'wrong_audience'],
      ['subject', { sub: 't' }, {}, 'wrong_subject'],
      ['nbf', { nbf: now + 600 }, {}, 'not_yet_valid'],
      ['iat', { iat: 'x' }, {}, 'malformed_claim'],
      ['type', {}, { typ: 'at+jwt' }, 'wrong_type'],
      ['required claim', { sub: undefined }, {}, 'wrong_subject'],
    ]
    for (const [name, claims, header, why] of alsoWrong) {
      it(`verifyJwt does not say "Token has expired" if the ${name} is also wrong`, () => {
        refuses(() => verify(signed({ ...expired, ...claims }, header), demand), why)
      })
    }

    it('verifyJwt does not say "Token has expired" if the signature is wrong', () => {
      const stranger = generateKey('ES256', key.keyId === undefined ? {} : { keyId: key.keyId })
      const token = signJws(
        { alg: 'ES256', kid: key.keyId, typ: 'JWT' },
        JSON.stringify(expired),
        stranger,
      )
      refuses(() => verify(token, demand), 'wrong_signature')
    })
  })

  it('verifyJwt checks the signature before it reads any claim', () => {
    const stranger = generateKey('ES256', key.keyId === undefined ? {} : { keyId: key.keyId })
    for (const payload of ['[', '{}', '{"exp":null}', '{"exp":1,"exp":2}']) {
      refuses(
        () => verify(signJws({ alg: 'ES256', kid: key.keyId }, payload, stranger)),
        'wrong_signature',
      )
    }
  })

  it('the errors of verifyJwt never contain the token', () => {
    const token = signed({ exp: now - 60, secret: 'hush' })
    for (const bad of [token, token.slice(0, -4), `${token}.x`, `x${token}`]) {
      assert.throws(
        () => verify(bad),
        (error: TokenError) =>
          ![error.message, error.detail, error.stack].join(' ').includes(bad.slice(8, 40)),
      )
    }
  })

  it('verifyJwt refuses `algorithms` if it is not an array, is empty or has unknown names', () => {
    for (const algorithms of [[], 'ES256', null, ['ES256', 'none'], ['none']]) {
      const options = { algorithms } as unknown as VerifyOptions
      assert.throws(
        () => verify(signed(valid), options),
        /^TypeError: .*algorithms.* HS256, HS384, /,
      )
    }
  })

  it('verifyJwt refuses an option that is undefined, because it could disable a check', () => {
    for (const name of ['issuer', 'audience', 'type', 'algorithms'])
      assert.throws(
        () => verify(signed(valid), { [name]: undefined }),
        new RegExp(`the option \`${name}\` of verifyJwt is undefined`),
      )
  })

  it('verifyJwt refuses unknown options, and options that are not an object', () => {
    for (const options of [
      { iss: 'a' },
      { typ: 'at+jwt' },
      { maxTokenAge: '1h' },
      { algorithm: 'ES256' },
      'me',
      ['me'],
      null,
    ])
      assert.throws(() => verifyJwt(signed(valid), key, options as VerifyOptions), TypeError)
  })

  it('verifyJwt refuses a clock whose now() does not return milliseconds', () => {
    const wrong = [
      undefined,
      Number.NaN,
      Date.now() / 1000,
      'now',
      new Date(),
      performance.now(),
      Infinity,
    ]
    for (const told of wrong) {
      const clock = { now: () => told as number }
      assert.throws(
        () => verifyJwt(signed(valid), key, { clock }),
        /`clock` must be an object whose now\(\) returns/,
      )
      assert.throws(() => signJwt({}, key, { expiresInSeconds: 1, clock }), TypeError)
    }
    for (const clock of [null, {}, performance])
      assert.throws(() => verifyJwt(signed(valid), key, { clock: clock as Clock }), TypeError)
  })

  it('verifyJwt accepts Date as a clock', () => {
    assert.ok(
      verifyJwt(signJwt({}, key, { expiresInSeconds: 60, clock: Date }), key, { clock: Date }),
    )
  })

  it('verifyJwt does not accept an inherited property as a required claim', () => {
    refuses(
      () => verify(signed(valid), { requiredClaims: ['constructor'] }),
      /"constructor" is missing/,
    )
    assert.ok(verify(signed({ ...valid, constructor: 1 }), { requiredClaims: ['constructor'] }))
  })

  it('verifyJwt accepts only the listed algorithms', () => {
    assert.ok(verify(signed(valid), { algorithms: ['ES256'] }))
    refuses(() => verify(signed(valid), { algorithms: ['RS256'] }), 'forbidden_algorithm')
  })
})

describe('signJwt', () => {
  it('signJwt sets alg, kid, typ, iat and exp (RFC 7519 §7.1)', () => {
    const token = signJwt({ sub: 'alice' }, key, {
      expiresInSeconds: 60,
      clock: { now: () => now * 1000 + 999 },
    })
    assert.deepEqual(decodeJwtUnsafe(token), {
      header: { alg: 'ES256', kid: key.keyId, typ: 'JWT' },
      claims: { sub: 'alice', iat: now, exp: now + 60 },
    })
  })

  it('signJwt keeps iat and exp if the claims contain them', () => {
    const { claims } = decodeJwtUnsafe(signJwt({ iat: 5, exp: 7 }, key))
    assert.deepEqual(claims, { iat: 5, exp: 7 })
  })

  it('signJwt leaves out kid if the key has none', () => {
    const secret = importKey({ secret: 'kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA', algorithm: 'HS256' })
    assert.deepEqual(decodeJwtUnsafe(signJwt({}, secret, { expiresInSeconds: 1 })).header, {
      alg: 'HS256',
      typ: 'JWT',
    })
  })

  it('signJwt refuses to make a token without an expiry', () => {
    assert.throws(() => signJwt({ sub: 'alice' }, key), /a token must expire/)
    for (const expiresInSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => signJwt({}, key, { expiresInSeconds }), /^TypeError: .*expiresInSeconds/)
    }
  })

  it('signJwt refuses a claim of the wrong type', () => {
    const wrong = { sub: 1, iss: [], jti: null, nbf: '1', iat: Number.NaN, exp: '9' }
    for (const [name, value] of Object.entries(wrong)) {
      const sign = (): string => signJwt({ [name]: value }, key, { expiresInSeconds: 1 })
      assert.throws(sign, new RegExp(`^TypeError: "${name}" must be`))
    }
    for (const claims of [null, undefined, 'x', []] as unknown as readonly JwtClaims[]) {
      assert.throws(() => signJwt(claims, key, { expiresInSeconds: 1 }), /^TypeError: .*claims/)
    }
  })

  it('signJwt refuses times in milliseconds, and a registered claim that is undefined', () => {
    const milliseconds = now * 1000
    for (const claims of [
      { exp: milliseconds },
      { nbf: milliseconds },
      { iat: milliseconds },
      { exp: Number.NaN },
    ])
      assert.throws(
        () => signJwt(claims, key, { expiresInSeconds: 60 }),
        /must be a number of seconds/,
      )
    for (const name of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'])
      assert.throws(
        () => signJwt({ [name]: undefined }, key, { expiresInSeconds: 60 }),
        /is undefined/,
      )
    assert.ok(signJwt({ nickname: undefined }, key, { expiresInSeconds: 60 }))
  })

  it('signJwt refuses an unknown option', () => {
    const options = { expiresIn: 60, expiresInSeconds: 60 }
    assert.throws(() => signJwt({}, key, options), /signJwt has no option `expiresIn`/)
  })

  it('signJwt refuses a public key', () => {
    const half = importKey(exportPublicJwk(key))
    assert.throws(() => signJwt({}, half, { expiresInSeconds: 1 }), /signing needs a private key/)
  })
})

describe('decodeJwtUnsafe', () => {
  it('decodeJwtUnsafe returns the claims of an expired token with a wrong signature', () => {
    const token = `${toBase64url('{"alg":"RS256"}')}.${toBase64url('{"sub":"mallory","exp":1}')}.AAAA`
    assert.deepEqual(decodeJwtUnsafe(token), {
      header: { alg: 'RS256' },
      claims: { sub: 'mallory', exp: 1 },
    })
  })

  it('decodeJwtUnsafe refuses text that is not a JWT', () => {
    for (const token of [
      '',
      'a.b.c',
      `${toBase64url('{"alg":"RS256"}')}.${toBase64url('[]')}.AAAA`,
    ]) {
      refuses(() => decodeJwtUnsafe(token), 'malformed_token')
    }
  })
})
