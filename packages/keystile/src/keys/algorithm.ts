// The algorithms of signatures, and what each demands of a key.

export type Algorithm = HmacAlgorithm | RsaAlgorithm | EcAlgorithm | EdAlgorithm

interface AnyAlgorithm {
  /** The registered name (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2), used as `alg`. */
  readonly name: AlgorithmName
  readonly keyType: 'oct' | 'RSA' | 'EC' | 'OKP'
  /** The name of the hash in node:crypto; `null` if the hash is part of the algorithm. */
  readonly hash: Hash | null
  readonly curve?: 'P-256' | 'P-384' | 'P-521' | 'Ed25519'
  /** The length of the PSS salt in bytes: the length of the hash (RFC 7518 §3.5). */
  readonly saltBytes?: number
  /** The length of a signature in bytes, if all signatures have the same length. */
  readonly signatureBytes?: number
  /** The minimum length of an HMAC key in bytes: the length of the hash (RFC 7518 §3.2). */
  readonly minSecretBytes?: number
}

type Hash = 'sha256' | 'sha384' | 'sha512'

export interface HmacAlgorithm extends AnyAlgorithm {
  readonly keyType: 'oct'
  readonly hash: Hash
  readonly minSecretBytes: number
}

interface RsaAlgorithm extends AnyAlgorithm {
  readonly keyType: 'RSA'
}

interface EcAlgorithm extends AnyAlgorithm {
  readonly keyType: 'EC'
  readonly curve: 'P-256' | 'P-384' | 'P-521'
}

interface EdAlgorithm extends AnyAlgorithm {
  readonly keyType: 'OKP'
  readonly curve: 'Ed25519'
}

export type AlgorithmName =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

/**
 * All algorithms. `none` is not in this list, so a token without a signature is refused: its
 * algorithm is unknown.
 */
const algorithms: readonly Algorithm[] = [
  { name: 'HS256', keyType: 'oct', hash: 'sha256', signatureBytes: 32, minSecretBytes: 32 },
  { name: 'HS384', keyType: 'oct', hash: 'sha384', signatureBytes: 48, minSecretBytes: 48 },
  { name: 'HS512', keyType: 'oct', hash: 'sha512', signatureBytes: 64, minSecretBytes: 64 },
  { name: 'RS256', keyType: 'RSA', hash: 'sha256' },
  { name: 'RS384', keyType: 'RSA', hash: 'sha384' },
  { name: 'RS512', keyType: 'RSA', hash: 'sha512' },
  { name: 'PS256', keyType: 'RSA', hash: 'sha256', saltBytes: 32 },
  { name: 'PS384', keyType: 'RSA', hash: 'sha384', saltBytes: 48 },
  { name: 'PS512', keyType: 'RSA', hash: 'sha512', saltBytes: 64 },
  { name: 'ES256', keyType: 'EC', hash: 'sha256', curve: 'P-256', signatureBytes: 64 },
  { name: 'ES384', keyType: 'EC', hash: 'sha384', curve: 'P-384', signatureBytes: 96 },
  { name: 'ES512', keyType: 'EC', hash: 'sha512', curve: 'P-521', signatureBytes: 132 },
  { name: 'EdDSA', keyType: 'OKP', hash: null, curve: 'Ed25519', signatureBytes: 64 },
  { name: 'Ed25519', keyType: 'OKP', hash: null, curve: 'Ed25519', signatureBytes: 64 },
]

const byName: ReadonlyMap<unknown, Algorithm> = new Map(
  algorithms.map((algorithm) => [algorithm.name, algorithm]),
)

/** Finds an algorithm by its exact name: names are case-sensitive (RFC 7515 §4.1.1). */
export function findAlgorithm(name: unknown): Algorithm | undefined {
  return byName.get(name)
}

/**
 * Finds the algorithm for keys on a curve. Each curve has only one algorithm. The algorithm of
 * Ed25519 has two names; the result is `EdDSA`, the older name, because all verifiers know it.
 */
export function findAlgorithmOfCurve(curve: unknown): Algorithm | undefined {
  return algorithms.find((algorithm) => algorithm.curve === curve && curve !== undefined)
}

/**
 * Whether a key for algorithm `a` may verify a token whose header names algorithm `b`. Returns true
 * only if both are the same algorithm. `EdDSA` and `Ed25519` are two names of one algorithm
 * (RFC 9864 §2.2).
 */
export function isSameAlgorithm(a: Algorithm, b: Algorithm): boolean {
  return a === b || (a.curve === 'Ed25519' && b.curve === 'Ed25519')
}

export function listAlgorithmNames(): readonly AlgorithmName[] {
  return algorithms.map((algorithm) => algorithm.name)
}
