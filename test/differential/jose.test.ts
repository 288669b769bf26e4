// Ours and jose read the same tokens with the same demands. jose is the oracle: what it refuses,
// ours must refuse; where ours is stricter, the rule has a name here.
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
  // P-521 takes 5 ms a token; what is not about curves is seen by the others.
  process.env['KEYSTILE_LONG'] ? 100_000 : algorithm === 'ES512' ? 300 : 1_000

/**
 * What ours refuses though jose accepts it, by what ours tells the log: the reason, or a detail.
 */
const rulesOfOurs: readonly (readonly [rule: string, why: Why])[] = [
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
  /** Why it is refused, or nothing. */
  ours(token: string): TokenError | undefined
  jose(token: string): Promise<string | undefined>
}

async function verifiersFor(key: VerificationKey): Promise<Verifiers> {
  const { name, keyType, curve } = key.algorithm
  const jwk = keyType === 'oct' ? exportPrivateJwk(key) : exportPublicJwk(key)
  const ourKey = importKey(jwk)
  const josesKey = await importJWK(jwk as JWK, name)
  const options = {
    algorithms: curve === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [name],
    issuer,
    audience,
    typ: type,
    clockTolerance: toleranceSeconds,
    currentDate: new Date(now * 1000),
  }
  return {
    ours(token) {
      const clock = { now: () => now * 1000 }
      try {
        verifyJwt(token, ourKey, {
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
      jwtVerify(token, josesKey, options).then(
        () => undefined,
        (error: Error) => error.message,
      ),
  }
}

/** How often each came. */
type Tally = Map<string, number>

const total: Tally = new Map()

function count(tally: Tally, what: string, times = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + times)
}

/** With PSS, OpenSSL also takes a signature without the zeros that it begins with. */
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
  const { ours, jose } = await verifiersFor(key)
  const property = fc.asyncProperty(recipe, async (made) => {
    const token = bake(made)
    const asked = jose(token) // verifies in another thread meanwhile
    const refusal = ours(token)
    const refusedByJose = await asked
    if (refusedByJose !== undefined) {
      assert.notEqual(
        refusal,
        undefined,
        `jose refuses (${refusedByJose}) and ours accepts: ${token}`,
      )
      return count(tally, 'refused by both')
    }
    if (refusal === undefined) return count(tally, 'accepted by both')
    if (isShorterThanModulus(token, key))
      return count(tally, 'a signature as long as the modulus (RFC 8017 §8.1.2)')
    const { reason, detail = '' } = refusal
    const rule = rulesOfOurs.find(([, why]) =>
      typeof why === 'string' ? why === reason : why.test(detail),
    )
    assert.ok(
      rule,
      `jose accepts and ours refuses without a name for it (${reason} ${detail}): ${token}`,
    )
    count(tally, rule[0])
  })
  await fc.assert(property, { seed: seed + index, numRuns: tokensOf(algorithm) })
  return tally
}

describe('verifyJwt', () => {
  for (const [index, algorithm] of algorithms.entries()) {
    it(`accepts no ${algorithm} token that jose refuses, and has a name for each that only ours refuses`, async (t) => {
      t.diagnostic(`KEYSTILE_SEED=${seed}`)
      const tally = await compare(algorithm, index)
      for (const [what, times] of tally) count(total, what, times)
      const [good, bad] = [tally.get('accepted by both') ?? 0, tally.get('refused by both') ?? 0]
      t.diagnostic(
        `${algorithm}: ${good} accepted by both, ${bad} refused by both, the rest by ours alone`,
      )
      assert.ok(good > tokensOf(algorithm) / 10, 'too few tokens are good')
      assert.ok(bad > tokensOf(algorithm) / 10, 'too few tokens are bad')
    })
  }

  it('is stricter than jose by each of the named rules', (t) => {
    for (const [rule] of rulesOfOurs)
      t.diagnostic(`refused by ours alone: ${total.get(rule) ?? 0} by ${rule}`)
    const unseen = rulesOfOurs.map(([rule]) => rule).filter((rule) => !total.has(rule))
    assert.deepEqual(unseen, [])
  })
})
