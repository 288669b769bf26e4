// keystile/internal: what @keystile/server needs in addition to the public API. Other packages must
// not use it, because any release may change it.
export { parseBase64url, parseUtf8, toBase64url } from './base/bytes.ts'
export { systemClock, toSeconds, type Clock } from './base/clock.ts'
export {
  OAuthError,
  ProblemError,
  TokenError,
  tokenError,
  type FieldError,
  type OAuthErrorCode,
  type OAuthReason,
  type ProblemCode,
} from './base/errors.ts'
export { deepFreeze } from './base/freeze.ts'
export { isJsonObject, parseJsonObject, type JsonObject } from './base/json.ts'
export { isLogger, silentLogger, type Logger } from './base/log.ts'
export { findNearest, listKnown, unknownFlag } from './base/nearest.ts'
export { kindOf } from './base/options.ts'
export { lowestRowId, randomId, randomRowId } from './base/random.ts'
export { findCredential } from './http/authorization.ts'
export {
  cancelStream,
  pathOf,
  toResponse,
  type AnswerBody,
  type AnswerStream,
  type HttpAnswer,
  type HttpRequestWithBody,
} from './http/message.ts'
export { problemAnswer, problemSchema, tokenRefusalAnswer } from './http/problem.ts'
export { findImpostor } from './keys/impostors.ts'
export { keySetOf, type KeySet } from './keys/jwk-set.ts'
export { isKnownSecret } from './keys/known-secrets.ts'
export { isWeakSecret } from './keys/shared-secret.ts'
export { canSign } from './keys/signing-key.ts'
export { issueAccessToken } from './token/access-token.ts'
export { verifyJws } from './token/jws.ts'
export { isScopeName, parseScope } from './token/scope.ts'
export { createGuardCore, type GuardCore } from './guard/guard.ts'
export {
  createRevocationList,
  isRevocationKind,
  type RevocationEvent,
  type RevocationList,
} from './guard/revocations.ts'
export { withRecall } from './guard/user-recall.ts'
export { isUserObject, isVerifiedUser } from './guard/user.ts'
export type { Mountable } from './frameworks/mountable.ts'
export { readWebRequest } from './frameworks/web/web-request.ts'
export { joinValues, type FlagTypes } from './cli/flags.ts'
export { tokenCheckFlags } from './cli/token-check-flags.ts'
export { onUnread } from './cli/unread.ts'
