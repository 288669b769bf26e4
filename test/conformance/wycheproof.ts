// What the library says about the vectors of Wycheproof. Runs on any runtime.
import { keySetOf, verifyJws, type KeySet } from 'keystile/internal'
import { TokenError, type Jwk } from 'keystile/jwt'
import { importVector, importVectorSet } from '../../packages/keystile/test-support/vectors.ts'

/** A group of vectors with one key or key set. */
export interface Group {
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

/** The verdict about one vector. */
export interface Verdict {
  readonly tcId: number
  /** What the vector is, for messages. */
  readonly name: string
  /** What Wycheproof expects: `valid` or `invalid`. */
  readonly expected: string
  /** `accepted`, the reason of a `TokenError`, or the name of another error. */
  readonly verdict: string
}

/** Verifies each JWS with the key of its group. */
export function judgeSignatures(groups: readonly Group[]): readonly Verdict[] {
  return judge(groups, (key) => keySetOf([importVector(withoutUnregisteredAlgorithm(key))]))
}

/** Verifies each JWS with the key set of its group. */
export function judgeKeySets(groups: readonly Group[]): readonly Verdict[] {
  return judge(groups, importVectorSet)
}

function judge(groups: readonly Group[], importKeys: (key: Jwk) => KeySet): readonly Verdict[] {
  return groups.flatMap((group) =>
    group.tests.map(({ tcId, comment, jws, result }) => ({
      tcId,
      name: `${group.comment} ${comment}`,
      expected: result,
      verdict: verdictOf(() => verifyJws(jws, importKeys(group.public ?? group.private))),
    })),
  )
}

function verdictOf(verify: () => unknown): string {
  try {
    verify()
    return 'accepted'
  } catch (error) {
    return error instanceof TokenError ? error.reason : (error as Error).name
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
