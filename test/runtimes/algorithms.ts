// Uses one algorithm as an app may: makes, imports and exports keys, signs and verifies.
import { canSign } from 'keystile/internal'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  signJwt,
  TokenError,
  verifyJwt,
  type AlgorithmName,
  type Jwk,
  type VerificationKey,
} from 'keystile/jwt'

/** Keys and tokens that Node made. */
export interface AlgorithmCase {
  readonly algorithm: AlgorithmName
  readonly privateJwk: Jwk
  /** The private key and the public key; none for a shared secret. */
  readonly pems: readonly string[]
  /** A token that was signed with the key. */
  readonly token: string
  /** Tokens whose signatures are wrong. */
  readonly forged: readonly string[]
}

export interface AlgorithmResult {
  /** What a runtime cannot do, with its error. */
  readonly faults: readonly string[]
  /** Tokens that were signed with the key, for Node to verify. */
  readonly tokens: readonly string[]
  /** The members of an exported private and public JWK, sorted. */
  readonly members: readonly (readonly string[])[]
}

/** The things to try. Each throws when it does not work. */
export function tryAlgorithm(given: AlgorithmCase): AlgorithmResult {
  const { algorithm, privateJwk, pems, token, forged } = given
  const faults: string[] = []
  const tokens: string[] = []
  const members: string[][] = []
  const attempt = (what: string, work: () => void): void => {
    try {
      work()
    } catch (error) {
      faults.push(`${what}: ${(error as Error).message}`)
    }
  }
  const use = (key: VerificationKey): void => {
    verifyJwt(token, key)
    for (const wrong of forged) requireRefusal(wrong, key)
    if (canSign(key)) tokens.push(signJwt({ sub: 'ada' }, key, { expiresInSeconds: 60 }))
  }

  attempt('importKey of a JWK', () => use(importKey(privateJwk)))
  for (const pem of pems) attempt('importKey of a PEM', () => use(importKey({ pem, algorithm })))
  attempt('generateKey', () => {
    const key = generateKey(algorithm)
    const own = signJwt({ sub: 'ada' }, key, { expiresInSeconds: 60 })
    if (verifyJwt(own, key).sub !== 'ada') throw new Error('the claims changed')
    requireRefusal(token, key)

    const jwks = [exportPrivateJwk(key)]
    if (pems.length > 0) jwks.push(exportPublicJwk(key))
    for (const jwk of jwks) verifyJwt(own, importKey(jwk))
    members.push(...jwks.map((jwk) => Object.keys(jwk).toSorted()))
  })
  return { faults, tokens, members }
}

function requireRefusal(token: string, key: VerificationKey): void {
  try {
    verifyJwt(token, key)
  } catch (error) {
    if (error instanceof TokenError && error.code === 'invalid_token') return
    throw error
  }
  throw new Error('a wrong signature was accepted')
}
