import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAuthenticatorApp } from './authenticator-app.ts'

/** The secret of RFC 6238, appendix B: the ASCII bytes 12345678901234567890. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const at = (seconds: number): Date => new Date(seconds * 1000)

describe('createAuthenticatorApp', () => {
  it('code() returns the codes of RFC 6238, appendix B', () => {
    // The RFC shows eight digits. A code of six digits is the end of such a code.
    for (const [seconds, code] of [
      [59, '94287082'],
      [1_111_111_109, '07081804'],
      [1_111_111_111, '14050471'],
      [1_234_567_890, '89005924'],
      [2_000_000_000, '69279037'],
      [20_000_000_000, '65353130'],
    ] as const)
      assert.equal(createAuthenticatorApp(secret).code(at(seconds)), code.slice(2))
  })

  it('code() returns the same code for 30 seconds', () => {
    const app = createAuthenticatorApp(secret)
    assert.equal(app.code(at(30)), app.code(new Date(59_999)))
    assert.notEqual(app.code(at(30)), app.code(at(60)))
    assert.notEqual(app.code(at(30)), app.code(new Date(29_999)))
  })

  it('code() without an argument returns a code of this minute', () => {
    const app = createAuthenticatorApp(secret)
    const before = Date.now()
    const code = app.code()
    assert.ok([before, Date.now()].some((now) => app.code(new Date(now)) === code))
  })

  it('createAuthenticatorApp accepts lower case, spaces, padding and an otpauth URI', () => {
    const code = createAuthenticatorApp(secret).code(at(59))
    for (const same of [
      secret.toLowerCase(),
      'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ',
      `${secret}======`,
      `otpauth://totp/Orders:ada%40example.com?secret=${secret}&issuer=Orders`,
      `otpauth://totp/ada?secret=${secret}&algorithm=SHA1&digits=6&period=30`,
      `otpauth://totp/ada?algorithm=sha1&secret=${secret.toLowerCase()}`,
    ])
      assert.equal(createAuthenticatorApp(same).code(at(59)), code)
  })

  it('createAuthenticatorApp refuses other arguments, and never repeats a secret', () => {
    const uri = `otpauth://totp/ada?secret=${secret}`
    for (const [wrong, message] of [
      [undefined, /^the argument .* must be a base32 secret or an otpauth:\/\/ URI; it is undef/],
      [{ secret }, /^the argument .*; it is an object$/],
      ['', /^the secret must be base32/],
      [`${secret.slice(0, -1)}1`, /^the secret must be base32/],
      [`${secret.slice(0, -1)}ß`, /^the secret must be base32/],
      [secret.slice(0, -1), /^the secret must be base32/],
      [`${secret}=A`, /^the secret must be base32/],
      [`https://example.com/?secret=${secret}`, /^the secret must be base32/],
      [uri.replace('totp', 'hotp'), /^the URI must begin with otpauth:\/\/totp\/$/],
      ['otpauth:', /^the URI must begin with/],
      [`${uri}&algorithm=SHA256`, /^the `algorithm` of the otpauth URI must be SHA1, or left out$/],
      [`${uri}&digits=8`, /^the `digits` of the otpauth URI must be 6/],
      [`${uri}&period=60`, /^the `period` of the otpauth URI must be 30/],
      ['otpauth://totp/ada', /^the otpauth URI must have a `secret`$/],
      ['otpauth://totp/ada?secret=', /^the secret must be base32/],
    ] as const) {
      assert.throws(
        () => createAuthenticatorApp(wrong as string),
        (error) => {
          assert.ok(error instanceof TypeError, String(error))
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /GEZD/)
          return true
        },
      )
    }
  })

  it('code() refuses a time that is no Date since 1970', () => {
    for (const wrong of [new Date(-1), new Date(Number.NaN)])
      assert.throws(() => createAuthenticatorApp(secret).code(wrong), /^TypeError: .* a Date/)
  })
})
