import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { importJwkSet, importKey, type Jwk } from 'keystile/jwt'
import { keySetOf, verifyJws, type KeySet } from 'keystile/internal'
import { importVector, importVectorSet } from '../../packages/keystile/test-support/vectors.ts'

interface Group {
  readonly comment: string
  readonly public?: Jwk & { readonly keys?: readonly Jwk[] }
  readonly private: Jwk & { readonly keys?: readonly Jwk[] }
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws: string
    readonly result: string
  }[]
}

const groupsOf = (file: string): readonly Group[] =>
  JSON.parse(readFileSync(new URL(`vectors/wycheproof/${file}`, import.meta.url), 'utf8'))
    .testGroups

/** Cases that the tests leave out. vectors/README.md says why. */
const disputed = new Set([346, 350, 367, 370, 372, 373])

function accepts(jws: string, keys: () => KeySet): boolean {
  try {
    verifyJws(jws, keys())
    return true
  } catch {
    return false
  }
}

/**
 * Removes `alg` from the keys of cases 347 and 351: their algorithm, "ES521", does not exist. A
 * P-521 key needs no `alg`: only ES512 uses it.
 */
function withoutUnregisteredAlgorithm(jwk: Jwk): Jwk {
  const { alg, ...rest } = jwk
  return alg === 'ES521' && jwk['crv'] === 'P-521' ? rest : jwk
}

describe('verifyJws', () => {
  it('verifyJws accepts Wycheproof’s 42 valid JWS and refuses its 353 invalid JWS', () => {
    const tally = { valid: 0, invalid: 0 }
    const wrong: string[] = []
    for (const group of groupsOf('json_web_signature_test.json')) {
      for (const { tcId, comment, jws, result } of group.tests) {
        if (disputed.has(tcId)) continue
        const accepted = accepts(jws, () =>
          keySetOf([importVector(withoutUnregisteredAlgorithm(group.public ?? group.private))]),
        )
        tally[result as 'valid' | 'invalid']++
        if (accepted !== (result === 'valid'))
          wrong.push(`${tcId} ${comment}: ${accepted ? 'accepted' : 'refused'}`)
      }
    }
    assert.deepEqual(wrong, [])
    assert.deepEqual(tally, { valid: 42, invalid: 353 })
  })

  it('verifyJws accepts the 2 disputed JWS of Wycheproof that copy a valid one', () => {
    const accepted = groupsOf('json_web_signature_test.json').flatMap((group) =>
      group.tests
        .filter(({ tcId }) => disputed.has(tcId))
        .filter(({ jws }) =>
          accepts(jws, () => keySetOf([importVector(group.public ?? group.private)])),
        )
        .map(({ tcId }) => tcId),
    )
    assert.deepEqual(accepted, [367, 370])
  })
})

describe('importJwkSet', () => {
  it('importJwkSet accepts Wycheproof’s good key sets and refuses its bad ones', () => {
    const wrong: string[] = []
    let count = 0
    for (const group of groupsOf('json_web_key_test.json')) {
      for (const { tcId, comment, jws, result } of group.tests) {
        count++
        const accepted = accepts(jws, () => importVectorSet(group.public ?? group.private))
        if (accepted !== (result === 'valid'))
          wrong.push(`${tcId} ${group.comment} ${comment}: ${accepted ? 'accepted' : 'refused'}`)
      }
    }
    assert.deepEqual(wrong, [])
    assert.equal(count, 26)
  })
  it('importJwkSet and importKey refuse the guessable secrets of Wycheproof', () => {
    const keys = [
      ...groupsOf('json_web_key_test.json'),
      ...groupsOf('json_web_signature_test.json'),
    ].map((group) => group.public ?? group.private)
    const sets = keys
      .map((key) => key.keys ?? [key])
      .filter((set) => set.every(({ kty }) => kty === 'oct'))
    assert.equal(sets.length, 17)
    for (const set of sets) {
      assert.throws(() => importJwkSet({ keys: set }), TypeError)
      assert.throws(() => importKey(set[0]!), TypeError)
    }
  })
})
