// keystile: the verifier of access tokens, and the types that all guards share.
export type { Clock } from './base/clock.ts'
export type { Logger } from './base/log.ts'
export { ProblemError, TokenError, type FieldError, type ProblemCode } from './base/errors.ts'
export type { TokenErrorCode, TokenReason } from './base/token-reasons.ts'
export type { AlternativeArguments, DemandArguments } from './guard/demand.ts'
export type { Caller, Decision } from './guard/guard.ts'
export type { GuardOptions } from './guard/guard-options.ts'
export {
  protectedResource,
  type ProtectedResource,
  type ProtectedResourceOptions,
} from './guard/protected-resource.ts'
export type { RefusalOptions, RefusedRequest } from './guard/refusal-report.ts'
export type { UserObject } from './guard/user.ts'
export type {
  RevocableToken,
  RevocationFeedOptions,
  Revocations,
  RevocationState,
} from './guard/revocations.ts'
export type { Identity, TokenType } from './guard/identity.ts'
export { createVerifier, type Verifier, type VerifierOptions } from './guard/verifier.ts'
export type { HttpAnswer, HttpRequest } from './http/message.ts'
export type { AlgorithmName } from './keys/algorithm.ts'
export type { JwkSet, KeySet } from './keys/jwk-set.ts'
export type { Jwk } from './keys/jwk.ts'
export type { AccessTokenClaims } from './token/access-token.ts'
export type { BindingClaim } from './token/claims.ts'
export type { PlainTokenClaims, ScopesFrom } from './token/plain-token.ts'
