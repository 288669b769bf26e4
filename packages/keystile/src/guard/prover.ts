// Proves tokens: verifies each token once, and then finds it in the cache of verified tokens.
import { tokenError } from '../base/errors.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import type { VerificationKey } from '../keys/signing-key.ts'
import { isExpired } from '../token/claims.ts'
import { identityOf, type Identity, type TokenType } from './identity.ts'
import type { Time } from './login-demand.ts'
import type { RevocableToken } from './revocations.ts'
import { createSharedScopes } from './shared-scopes.ts'
import type { TrustedIssuers } from './trusted-issuers.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

/** The cache entry of a verified token. */
interface ProvedToken {
  readonly identity: Identity<string, TokenType>
  readonly revocable: RevocableToken
  /**
   * When the token expires, in seconds since 1970: the claim `exp`, or the time when the token
   * becomes older than `maxTokenAgeSeconds`, whichever is earlier.
   */
  readonly expires: number
  readonly key: VerificationKey
  /** The key set of the issuer. If it no longer contains `key`, the cache entry is invalid. */
  readonly keys: KeySet
}

/** Verifies tokens, and keeps verified tokens in a cache. Does not check revocations. */
interface Prover {
  /** Returns the cache entry of a token that is still valid; otherwise `undefined`. */
  recall(token: string): ProvedToken | undefined
  /**
   * Returns the cache entry of a token. Returns `undefined` if the token is not cached, or if its
   * key was removed or replaced. The caller must then call `prove()`.
   *
   * @throws {TokenError} `invalid_token` for a cached token that has expired
   */
  find(token: string): ProvedToken | undefined
  /**
   * Verifies a token and caches it.
   *
   * @throws {TokenError} for a token that is not valid
   */
  prove(token: string): Promise<ProvedToken>
}

export function createProver(issuers: TrustedIssuers, time: Time): Prover {
  const proved = createVerifiedTokens<ProvedToken>()
  const shareScopes = createSharedScopes()

  return {
    recall(token) {
      const known = proved.find(token)
      return known && standingOf(known, time) === 'valid' ? known : undefined
    },
    find(token) {
      const known = proved.find(token)
      if (!known) return undefined

      const standing = standingOf(known, time)
      if (standing === 'valid') return known
      proved.forget(token)
      if (standing === 'expired') throw tokenError('expired')
      return undefined
    },
    async prove(token) {
      const { keys, verify } = issuers.only ?? (await issuers.select(token))
      const verified = verify(token)
      const identity = identityOf({ ...verified, scopes: shareScopes(verified.scopes) })
      const { expires, key } = verified
      const { sessionId, subject, clientId } = identity
      // Uses the `kid` of the key, because a sender may leave out the `kid` of the header.
      const revocable = Object.freeze({ sessionId, subject, clientId, keyId: key.keyId })
      const fresh = { identity, revocable, expires, key, keys }
      proved.remember(token, fresh)
      return fresh
    },
  }
}

/**
 * Returns whether a cached token is valid or expired. Returns `key_gone` if its key was removed
 * from the set or replaced. This token must be verified again, because the issuer may have
 * withdrawn a stolen key.
 *
 * Does NOT check revocation.
 */
function standingOf(
  { expires, key, keys }: ProvedToken,
  { clock, clockToleranceSeconds }: Time,
): 'valid' | 'expired' | 'key_gone' {
  if (keys.find(key.keyId, key.algorithm) !== key) return 'key_gone'
  return isExpired(expires, clock.now() / 1000, clockToleranceSeconds) ? 'expired' : 'valid'
}
