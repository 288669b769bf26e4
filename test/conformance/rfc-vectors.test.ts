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
import { importVector } from '../../packages/keystile/test-support/vectors.ts'
import { sign } from '../../packages/keystile/test-support/raw-signature.ts'

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
    /** Only where the JWS has a compact form. */
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

/** The RFCs name the algorithm beside the key; a key of ours has it inside. */
const keyFor = (jwk: Jwk, alg: string): KeySet => keySetOf([importVector({ ...jwk, alg })])

function signingKeyFor(jwk: Jwk, alg: string): SigningKey {
  const key = importVector({ ...jwk, alg })
  assert.ok(canSign(key))
  return key
}

/** The compact form that the RFC prints, or the one that its JSON form stands for. */
function compactOf({ output }: CookbookCase): string {
  const { protected: header = '', payload, signature } = output.json_flat
  return output.compact ?? `${header}.${payload}.${signature}`
}

const caseOf = (section: string): CookbookCase =>
  cookbook.find(({ title }) => title.includes(section))!

describe('verifyJws', () => {
  it('accepts the 8 signatures of RFC 7515 A.1 to A.3, RFC 7520 §4.1 to §4.4 and RFC 8037 A.4', () => {
    const signed = published.filter(({ alg }) => alg !== 'none')
    for (const { name, jwk, alg, jws } of signed)
      assert.doesNotThrow(() => verifyJws(jws, keyFor(jwk!, alg)), `${name} is refused`)
    assert.equal(signed.length, 8)
  })

  it('refuses each of them once the last byte of its payload is another', () => {
    for (const { name, jwk, alg, jws } of published.filter(({ alg }) => alg !== 'none')) {
      const [header, payload = '', signature] = jws.split('.')
      const changed = Buffer.from(payload, 'base64url')
      changed[changed.length - 1]! ^= 1
      const forged = `${header}.${changed.toString('base64url')}.${signature}`
      assert.throws(() => verifyJws(forged, keyFor(jwk!, alg)), TokenError, `${name} is accepted`)
    }
  })

  it('returns the payload that the RFC prints', () => {
    const { input, output } = caseOf('rfc7520/#section-4.1')
    const { payload } = verifyJws(output.compact!, keyFor(input.key, input.alg))
    assert.equal(payload.toString(), input.payload)
  })

  it('refuses the unsecured JWS of RFC 7515 A.5, with every key of the RFCs', () => {
    const unsecured = published.filter(({ alg }) => alg === 'none')
    assert.equal(unsecured.length, 1)
    for (const { jwk, alg } of published.filter(({ jwk }) => jwk))
      assert.throws(() => verifyJws(unsecured[0]!.jws, keyFor(jwk!, alg)), {
        reason: 'unknown_algorithm',
      })
  })

  it('accepts 6 of the 11 JWS of the cookbook: the others have no compact form, or no algorithm of ours', () => {
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

  it('refuses RFC 7520 §4.7: without a protected header there is no compact form', () => {
    const one = caseOf('section-4.7')
    assert.equal(one.output.json_flat.protected, undefined)
    assert.throws(() => verifyJws(compactOf(one), keyFor(one.input.key, one.input.alg)), TokenError)
  })

  it('refuses the unencoded payload of RFC 7797 §4.1, attached and detached, for its "crit" names "b64"', () => {
    const { input, output } = caseOf('rfc7797')
    const { protected: header, payload, signature } = output.json_flat
    const keys = keyFor(input.key, input.alg)
    assert.throws(() => verifyJws(`${header}.${payload}.${signature}`, keys), TokenError)
    for (const detached of ['', Buffer.from(payload).toString('base64url')])
      assert.throws(() => verifyJws(`${header}.${detached}.${signature}`, keys), {
        reason: 'unknown_extension',
      })
  })

  it('refuses the 3 ML-DSA signatures, an algorithm that does not exist here', () => {
    const lattices = cookbook.filter(({ input }) => input.key.kty === 'AKP')
    const { input } = caseOf('section-4.4')
    for (const { output } of lattices) {
      const verify = (): unknown => verifyJws(output.compact!, keyFor(input.key, input.alg))
      assert.throws(verify, { reason: 'unknown_algorithm' })
    }
    assert.deepEqual(
      lattices.map(({ input }) => input.alg),
      ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
    )
  })
})

describe('importKey', () => {
  it('refuses the 2 secrets that RFC 7515 and RFC 7520 print, for anyone can sign with them', () => {
    const secrets = published.filter(({ jwk }) => jwk?.kty === 'oct')
    for (const { jwk, alg } of secrets)
      assert.throws(() => importKey({ ...jwk, alg }), /printed in public documentation/)
    assert.equal(secrets.length, 2)
  })

  it('refuses the 3 ML-DSA keys', () => {
    const lattices = cookbook.filter(({ input }) => input.key.kty === 'AKP')
    for (const { input } of lattices) assert.throws(() => importKey(input.key), TypeError)
    assert.equal(lattices.length, 3)
  })
})

describe('sign', () => {
  const deterministic = ['rfc7520/#section-4.1', 'section-4.4', 'section-4.6', 'rfc8037']

  it('reproduces the printed RS256, HS256 and EdDSA signatures of RFC 7520 §4.1, §4.4, §4.6 and RFC 8037 A.4', () => {
    for (const section of deterministic) {
      const { input, output, title } = caseOf(section)
      const { protected: header, payload, signature } = output.json_flat
      const made = sign(signingKeyFor(input.key, input.alg), Buffer.from(`${header}.${payload}`))
      assert.equal(toBase64url(made), signature, title)
    }
  })

  it('reproduces the HS256 signature of RFC 7515 A.1, whose header has line breaks', () => {
    const { jwk, alg, jws } = published.find(({ name }) => name === 'RFC7515 A.1')!
    const end = jws.lastIndexOf('.')
    const made = sign(signingKeyFor(jwk!, alg), Buffer.from(jws.slice(0, end)))
    assert.equal(toBase64url(made), jws.slice(end + 1))
  })

  it('makes another valid signature each time with PS384 and ES512 (RFC 7520 §4.2 and §4.3), which are random', () => {
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

describe('thumbprint', () => {
  it('is what RFC 7638 §3.1 (RSA), RFC 8037 A.3 (Ed25519) and RFC 9449 (P-256) print', () => {
    for (const { name, jwk, thumbprint: expected } of thumbprints)
      assert.equal(thumbprint(jwk), expected, name)
    assert.equal(thumbprints.length, 3)
  })
})
