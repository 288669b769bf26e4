import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  canSign,
  keySetOf,
  toBase64url,
  TokenError,
  verifyJws,
  type KeySet,
} from 'keystile/internal'
import { importKey, thumbprint, type Jwk, type SigningKey } from 'keystile/jwt'
import { sign } from '../../packages/keystile/test-support/raw-signature.ts'
import { importVector } from '../../packages/keystile/test-support/vectors.ts'

interface Published {
  readonly name: string
  readonly alg: string
  readonly jwk?: Jwk
  readonly jws: string
  readonly expect: string
}

interface CookbookCase {
  readonly title: string
  readonly input: { readonly payload: string; readonly key: Jwk; readonly alg: string }
  readonly output: {
    /** Missing if the JWS has no compact form. */
    readonly compact?: string
    readonly json_flat: {
      readonly protected?: string
      readonly payload: string
      readonly signature: string
    }
  }
}

const read = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`vectors/rfc-vectors/${file}`, import.meta.url), 'utf8'))

const { jws: published, thumbprints } = read('jws-and-thumbprints.json') as {
  readonly jws: readonly Published[]
  readonly thumbprints: readonly {
    readonly name: string
    readonly jwk: Jwk
    readonly thumbprint: string
  }[]
}
const cookbook = read('rfc7520-8037-jws.json') as readonly CookbookCase[]

/**
 * Makes a key set from a key of an RFC. It adds `alg`, because the RFC names the algorithm outside
 * the key.
 */
const keyFor = (jwk: Jwk, alg: string): KeySet => keySetOf([importVector({ ...jwk, alg })])

function signingKeyFor(jwk: Jwk, alg: string): SigningKey {
  const key = importVector({ ...jwk, alg })
  assert.ok(canSign(key))
  return key
}

/** Returns the compact form that the RFC prints, or builds it from the JSON form. */
function compactOf({ output }: CookbookCase): string {
  const { protected: header = '', payload, signature } = output.json_flat
  return output.compact ?? `${header}.${payload}.${signature}`
}

const caseOf = (section: string): CookbookCase =>
  cookbook.find(({ title }) => title.includes(section))!

describe('verifyJws', () => {
  it('verifyJws accepts the 8 signatures in RFC 7515, RFC 7520 and RFC 8037', () => {
    const signed = published.filter(({ alg }) => alg !== 'none')
    for (const { name, jwk, alg, jws } of signed)
      assert.doesNotThrow(() => verifyJws(jws, keyFor(jwk!, alg)), `${name} is refused`)
    assert.equal(signed.length, 8)
  })

  it('verifyJws refuses the signatures in the RFCs if the payload is changed', () => {
    for (const { name, jwk, alg, jws } of published.filter(({ alg }) => alg !== 'none')) {
      const [header, payload = '', signature] = jws.split('.')
      const changed = Buffer.from(payload, 'base64url')
      changed[changed.length - 1]! ^= 1
      const forged = `${header}.${changed.toString('base64url')}.${signature}`
      assert.throws(() => verifyJws(forged, keyFor(jwk!, alg)), TokenError, `${name} is accepted`)
    }
  })

  it('verifyJws returns the payload in RFC 7520 §4.1', () => {
    const { input, output } = caseOf('rfc7520/#section-4.1')
    const { payload } = verifyJws(output.compact!, keyFor(input.key, input.alg))
    assert.equal(payload.toString(), input.payload)
  })

  it('verifyJws refuses the unsigned JWS in RFC 7515 A.5 with every key in the RFCs', () => {
    const unsecured = published.filter(({ alg }) => alg === 'none')
    assert.equal(unsecured.length, 1)
    for (const { jwk, alg } of published.filter(({ jwk }) => jwk))
      assert.throws(() => verifyJws(unsecured[0]!.jws, keyFor(jwk!, alg)), {
        reason: 'unknown_algorithm',
      })
  })

  it('verifyJws accepts the 6 compact JWS in RFC 7520 whose algorithm it knows', () => {
    const accepted: string[] = []
    for (const one of cookbook.filter(({ input }) => input.key.kty !== 'AKP')) {
      try {
        verifyJws(compactOf(one), keyFor(one.input.key, one.input.alg))
        accepted.push(one.title)
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
      }
    }
    assert.equal(cookbook.length, 11)
    assert.deepEqual(
      accepted.map((title) => /section-4\.\d|appendix-A\.4/.exec(title)?.[0]),
      ['section-4.1', 'appendix-A.4', 'section-4.2', 'section-4.3', 'section-4.4', 'section-4.6'],
    )
  })

  it('verifyJws refuses the JWS in RFC 7520 §4.7, which has no protected header', () => {
    const one = caseOf('section-4.7')
    assert.equal(one.output.json_flat.protected, undefined)
    assert.throws(() => verifyJws(compactOf(one), keyFor(one.input.key, one.input.alg)), TokenError)
  })

  it('verifyJws refuses the JWS in RFC 7797 §4.1 because of its "crit"', () => {
    const { input, output } = caseOf('rfc7797')
    const { protected: header, payload, signature } = output.json_flat
    const keys = keyFor(input.key, input.alg)
    assert.throws(() => verifyJws(`${header}.${payload}.${signature}`, keys), TokenError)
    for (const detached of ['', Buffer.from(payload).toString('base64url')])
      assert.throws(() => verifyJws(`${header}.${detached}.${signature}`, keys), {
        reason: 'unknown_extension',
      })
  })

  it('verifyJws refuses the 3 ML-DSA examples of jose’s cookbook: each has an unknown alg', () => {
    const mlDsaCases = cookbook.filter(({ input }) => input.key.kty === 'AKP')
    const { input } = caseOf('section-4.4')
    for (const { output } of mlDsaCases) {
      const verify = (): unknown => verifyJws(output.compact!, keyFor(input.key, input.alg))
      assert.throws(verify, { reason: 'unknown_algorithm' })
    }
    assert.deepEqual(
      mlDsaCases.map(({ input }) => input.alg),
      ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
    )
  })
})

describe('importKey', () => {
  it('importKey refuses the 2 secrets that are printed in RFC 7515 and RFC 7520', () => {
    const secrets = published.filter(({ jwk }) => jwk?.kty === 'oct')
    for (const { jwk, alg } of secrets)
      assert.throws(() => importKey({ ...jwk, alg }), /printed in public documentation/)
    assert.equal(secrets.length, 2)
  })

  it('importKey refuses the 3 ML-DSA keys of jose’s cookbook', () => {
    const mlDsaCases = cookbook.filter(({ input }) => input.key.kty === 'AKP')
    for (const { input } of mlDsaCases) assert.throws(() => importKey(input.key), TypeError)
    assert.equal(mlDsaCases.length, 3)
  })
})

describe('sign()', () => {
  const deterministic = ['rfc7520/#section-4.1', 'section-4.4', 'section-4.6', 'rfc8037']

  it('sign() reproduces the deterministic signatures in RFC 7520 and RFC 8037', () => {
    for (const section of deterministic) {
      const { input, output, title } = caseOf(section)
      const { protected: header, payload, signature } = output.json_flat
      const made = sign(signingKeyFor(input.key, input.alg), Buffer.from(`${header}.${payload}`))
      assert.equal(toBase64url(made), signature, title)
    }
  })

  it('sign() makes the same HS256 signature as RFC 7515 A.1', () => {
    const { jwk, alg, jws } = published.find(({ name }) => name === 'RFC7515 A.1')!
    const end = jws.lastIndexOf('.')
    const made = sign(signingKeyFor(jwk!, alg), Buffer.from(jws.slice(0, end)))
    assert.equal(toBase64url(made), jws.slice(end + 1))
  })

  it('sign() makes a different valid PS384 and ES512 signature each time', () => {
    for (const section of ['section-4.2', 'section-4.3']) {
      const { input, output } = caseOf(section)
      const { protected: header, payload, signature } = output.json_flat
      const made = toBase64url(
        sign(signingKeyFor(input.key, input.alg), Buffer.from(`${header}.${payload}`)),
      )
      assert.notEqual(made, signature)
      assert.doesNotThrow(() =>
        verifyJws(`${header}.${payload}.${made}`, keyFor(input.key, input.alg)),
      )
    }
  })
})

describe('thumbprint()', () => {
  it('thumbprint() returns the values in RFC 7638 §3.1, RFC 8037 A.3 and RFC 9449', () => {
    for (const { name, jwk, thumbprint: expected } of thumbprints)
      assert.equal(thumbprint(jwk), expected, name)
    assert.equal(thumbprints.length, 3)
  })
})
