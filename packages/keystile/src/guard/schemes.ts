import type { HttpRequest } from '../http/message.ts'
import type { Demand } from './demand.ts'
import type { Identity } from './identity.ts'
import { bearer } from './schemes/bearer.ts'
import type { CredentialScheme } from './schemes/scheme.ts'
import type { Verifier } from './verifier.ts'

/** The schemes that a guard knows. The first that finds a credential decides. */
const schemes: readonly CredentialScheme[] = [bearer]

/**
 * Returns, synchronously, who a request is from if its credential was proved before and still
 * holds. `undefined` means "not known": ask `proveIdentity`.
 */
export function recallIdentity(request: HttpRequest, verifier: Verifier): Identity | undefined {
  // An index, because `for … of` would make an iterator for each request.
  // Stryker disable next-line UpdateOperator: of one scheme, any other index is the end
  for (let i = 0, scheme = schemes[i]; scheme; scheme = schemes[++i]) {
    const credential = scheme.find(request)
    if (credential !== undefined) return scheme.recall(credential, verifier)
  }
  return undefined
}

/**
 * Proves who a request is from; `'no_credential'` when it has none, whatever a verifier returns.
 *
 * @throws {TokenError} for a malformed credential, at once
 */
export function proveIdentity(
  request: HttpRequest,
  verifier: Verifier,
  demand: Demand,
): Promise<Identity> | 'no_credential' {
  for (const scheme of schemes) {
    const credential = scheme.find(request)
    if (credential !== undefined) return scheme.prove(credential, verifier, demand)
  }
  return 'no_credential'
}
