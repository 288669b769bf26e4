import type { KeyObject } from 'node:crypto'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  type AlgorithmName,
  type Jwk,
  type SigningKey,
} from 'keystile/jwt'
import { keyObjectOf } from '../../packages/keystile/test-support/raw-signature.ts'
import { issueTokens } from '../tokens.ts'

export const algorithms = [
  'HS256',
  'RS256',
  'ES256',
  'EdDSA',
] as const satisfies readonly AlgorithmName[]
export type Algorithm = (typeof algorithms)[number]

/** Tokens of one algorithm, and their key in the forms that the libraries accept. */
export interface Material {
  readonly algorithm: Algorithm
  readonly key: SigningKey
  /** The public key, or the secret. */
  readonly keyObject: KeyObject
  readonly jwk: Jwk
  /** The public key as PEM (SPKI), or undefined when the key is a secret. */
  readonly pem: string | undefined
  readonly tokens: readonly string[]
}

/** Verifies one token. If the token is bad, throws or returns a promise that rejects. */
export type Verify = (token: string) => unknown

export interface Contestant {
  readonly name: string
  readonly isOurs: boolean
  /**
   * Makes a new verifier for each round, so that nothing is cached. Returns `undefined` when it
   * does not know the algorithm.
   */
  prepare(material: Material): Verify | undefined | Promise<Verify | undefined>
}

export function makeMaterial(algorithm: Algorithm, count: number): Material {
  const key = generateKey(algorithm)
  const keyObject = keyObjectOf(key.verifyingKey)
  const isSecret = keyObject.type === 'secret'
  return {
    algorithm,
    key,
    keyObject,
    jwk: isSecret ? exportPrivateJwk(key) : exportPublicJwk(key),
    pem: isSecret ? undefined : keyObject.export({ format: 'pem', type: 'spki' }),
    tokens: issueTokens(count, key),
  }
}
