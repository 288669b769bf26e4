// keystile/jwt: makes and imports keys, signs and verifies any JWT. Most APIs need only `keystile`.
export { TokenError } from './base/errors.ts'
export type { AlgorithmName } from './keys/algorithm.ts'
export { importJwkSet, type JwkSet, type KeySet } from './keys/jwk-set.ts'
export { generateKey } from './keys/generate-key.ts'
export { importKey, type KeySource } from './keys/import-key.ts'
export { exportPrivateJwk, exportPublicJwk, thumbprint, type Jwk } from './keys/jwk.ts'
export type { SigningKey, VerificationKey } from './keys/signing-key.ts'
export type { JwtClaims } from './token/claims.ts'
export {
  decodeJwtUnsafe,
  signJwt,
  verifyJwt,
  type SignOptions,
  type VerifyOptions,
} from './token/jwt.ts'
