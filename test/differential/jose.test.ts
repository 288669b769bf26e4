// Keystile and jose verify the same random tokens with the same demands. Keystile must refuse every
// token that jose refuses. Where Keystile is stricter, this file names the rule.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { importJWK, jwtVerify, type JWK } from 'jose'
import { TokenError, type AlgorithmName } from 'keystile'
import {
  exportPrivateJwk,
  exportPublicJwk,
  importKey,
  verifyJwt,
  type VerificationKey,
} from 'keystile/jwt'
import { keyObjectOf } from '../../packages/keystile/test-support/raw-signature.ts'
import type { Why } from '../../packages/keystile/test-support/why.ts'
import {
  algorithms,
  audience,
  createBaker,
  issuer,
  now,
  recipe,
  toleranceSeconds,
  type,
} from './tokens.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const tokensOf = (algorithm: AlgorithmName): number =>
  // ES512 takes 5 ms a token, so it gets fewer tokens. The other algorithms test everything except
  // the curve of ES512.
  process.env['KEYSTILE_LONG'] ? 100_000 : algorithm === 'ES512' ? 100 : 300

/**
 * The rules that only Keystile applies. The reason or the detail of a refusal shows which rule
 * applied.
 */
const stricterRules: readonly (readonly [rule: string, why: Why])[] = [
  ['canonical base64url (RFC 4648 §3.5)', /^a segment is not canonical base64url$/],
  ['size', 'token_too_long'],
  ['crit at all (RFC 7515 §4.1.11)', 'unknown_extension'],
  [
    'repeated member (RFC 8725 §2.4)',
    /^the (header|payload) is ambiguous: a member appears twice$/,
  ],
  [
    'lone surrogate (RFC 7493 §2.1)',
    /^the (header|payload) is not well-formed: it has an unpaired surrogate$/,
  ],
  ['depth', /^the (header|payload) is nested deeper than 32 levels$/],
  [
    'UTF-8, without a byte order mark (RFC 8259 §8.1)',
    /^the (header|payload) is not (UTF-8|JSON)$/,
  ],
  ['kid is a string (RFC 7515 §4.1.4)', /^"kid" is not a string$/],
  ['kid names the key', 'unknown_key'],
  ['exp required', /^"exp" is missing$/],
  ['times are finite numbers (RFC 7519 §2)', /^"(exp|nbf|iat)" is not a finite number$/],
  ['iss, sub and jti are strings (RFC 7519 §4.1)', /^"(iss|sub|jti)" is not a string$/],
  [
    'aud is a string or strings (RFC 7519 §4.1.3)',
    /^"aud" is neither a string nor an array of strings$/,
  ],
]

interface Verifiers {
  /** Verifies the token. Returns the error if Keystile refuses the token, otherwise undefined. */
  keystile(token: string): TokenError | undefined
  jose(token: string): Promise<string | undefined>
}

async function verifiersFor(key: VerificationKey): Promise<Verifiers> {
  const { name, keyType, curve } = key.algorithm
  const jwk = keyType === 'oct' ? exportPrivateJwk(key) : exportPublicJwk(key)
  const keystileKey = importKey(jwk)
  const joseKey = await importJWK(jwk as JWK, name)
  const options = {
    algorithms: curve === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [name],
    issuer,
    audience,
    typ: type,
    clockTolerance: toleranceSeconds,
    currentDate: new Date(now * 1000),
  }
  return {
    keystile(token) {
      const clock = { now: () => now * 1000 }
      try {
        verifyJwt(token, keystileKey, {
          issuer,
          audience,
          type,
          clockToleranceSeconds: toleranceSeconds,
          clock,
        })
        return undefined
      } catch (error) {
        assert.ok(error instanceof TokenError, String(error))
        return error
      }
    },
    jose: (token) =>
      jwtVerify(token, joseKey, options).then(
        () => undefined,
        (error: Error) => error.message,
      ),
  }
}

/** How often each outcome occurred. */
type Tally = Map<string, number>

const total: Tally = new Map()

function count(tally: Tally, what: string, times = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + times)
}

/** Whether the signature lacks leading zeros. With PSS, OpenSSL accepts such a signature. */
function isShorterThanModulus(token: string, { verifyingKey }: VerificationKey): boolean {
  const { modulusLength = 0 } = keyObjectOf(verifyingKey).asymmetricKeyDetails ?? {}
  const [, , signature = ''] = token.split('.')
  return (
    modulusLength > 0 && Buffer.from(signature, 'base64url').length < Math.ceil(modulusLength / 8)
  )
}

async function compare(algorithm: AlgorithmName, index: number): Promise<Tally> {
  const tally: Tally = new Map()
  const { key, bake } = createBaker(algorithm)
  const { keystile, jose } = await verifiersFor(key)
  const property = fc.asyncProperty(recipe, async (made) => {
    const token = bake(made)
    const asked = jose(token) // jose verifies in another thread at the same time
    const refusal = keystile(token)
    const refusedByJose = await asked
    if (refusedByJose !== undefined) {
      assert.notEqual(
        refusal,
        undefined,
        `jose refuses (${refusedByJose}) and Keystile accepts: ${token}`,
      )
      return count(tally, 'refused by both')
    }
    if (refusal === undefined) return count(tally, 'accepted by both')
    if (isShorterThanModulus(token, key))
      return count(tally, 'a signature as long as the modulus (RFC 8017 §8.1.2)')
    const { reason, detail = '' } = refusal
    const rule = stricterRules.find(([, why]) =>
      typeof why === 'string' ? why === reason : why.test(detail),
    )
    assert.ok(
      rule,
      `jose accepts this token and Keystile refuses it by an unnamed rule (${reason} ${detail}): ${token}`,
    )
    count(tally, rule[0])
  })
  await fc.assert(property, { seed: seed + index, numRuns: tokensOf(algorithm) })
  return tally
}

describe('verifyJwt', () => {
  for (const [index, algorithm] of algorithms.entries()) {
    it(`${algorithm}: verifyJwt agrees with jose, unless a stricter rule applies`, async (t) => {
      t.diagnostic(`KEYSTILE_SEED=${seed}`)
      const tally = await compare(algorithm, index)
      for (const [what, times] of tally) count(total, what, times)
      const [good, bad] = [tally.get('accepted by both') ?? 0, tally.get('refused by both') ?? 0]
      t.diagnostic(
        `${algorithm}: ${good} accepted and ${bad} refused by both; the other tokens refused only by Keystile`,
      )
      assert.ok(good > tokensOf(algorithm) / 10, 'too few tokens are good')
      assert.ok(bad > tokensOf(algorithm) / 10, 'too few tokens are bad')
    })
  }

  it('each rule in stricterRules refuses at least one token that jose accepts', (t) => {
    for (const [rule] of stricterRules)
      t.diagnostic(`refused by Keystile alone: ${total.get(rule) ?? 0} by ${rule}`)
    const unseen = stricterRules.map(([rule]) => rule).filter((rule) => !total.has(rule))
    assert.deepEqual(unseen, [])
  })
})
