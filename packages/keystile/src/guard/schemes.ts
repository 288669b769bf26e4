// Where the credential of a request is. The guard asks each scheme for one.
import type { HttpRequest } from '../http/message.ts'
import type { Demand } from './demand.ts'
import type { Identity, TokenType } from './identity.ts'
import { bearer } from './schemes/bearer.ts'
import type { CredentialScheme } from './schemes/scheme.ts'
import type { Verifier } from './verifier.ts'

/** All credential schemes of a guard. The first scheme that finds a credential decides. */
const schemes: readonly CredentialScheme[] = [bearer]

/**
 * Returns the identity of a request without waiting, if its credential was verified before and is
 * still valid. Otherwise returns `undefined`, and the caller must call `proveIdentity()`.
 */
export function recallIdentity(
  request: HttpRequest,
  verifier: Verifier<TokenType>,
): Identity<string, TokenType> | undefined {
  // Uses an index, because `for … of` would create an iterator for each request.
  for (let i = 0, scheme = schemes[i]; scheme; scheme = schemes[++i]) {
    const credential = scheme.find(request)
    if (credential !== undefined) return scheme.recall(credential, verifier)
  }
  return undefined
}

/**
 * Verifies the credential of a request and resolves to its identity. Returns `'no_credential'` if
 * the request has no credential. The result is a string instead of `undefined`, because an app's
 * own verifier may resolve to `undefined` for a wrong token. Such a request must not count as a
 * request without a token.
 *
 * @throws {TokenError} synchronously for a malformed credential. With any other error, the promise
 *   rejects
 */
export function proveIdentity(
  request: HttpRequest,
  verifier: Verifier<TokenType>,
  demand: Demand,
): Promise<Identity<string, TokenType>> | 'no_credential' {
  for (const scheme of schemes) {
    const credential = scheme.find(request)
    if (credential !== undefined) return scheme.prove(credential, verifier, demand)
  }
  return 'no_credential'
}
