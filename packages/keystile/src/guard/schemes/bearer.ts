import { tokenError } from '../../base/errors.ts'
import { findCredential } from '../../http/authorization.ts'
import type { CredentialScheme } from './scheme.ts'

/**
 * The scheme `Authorization: Bearer` with one token. It reads no token from the query, because logs
 * would record the token. It reads no token from the body or a cookie, because a page of another
 * site could make a browser send such a body or cookie.
 *
 * @see RFC 6750 §2.1, OAuth 2.1 §5.1
 */
export const bearer: CredentialScheme = {
  find(request) {
    const field = request.headers.get('authorization')
    return findCredential(field, 'Bearer') ?? findMisplaced(field)
  },

  // The cache holds only well-formed tokens, so it has no entry for a malformed token.
  recall: (token, verifier) => verifier.recall?.(token),

  prove(token, verifier, demand) {
    requireToken68(token)
    return verifier.verify(token, demand)
  },
}

/**
 * Returns the whole `Authorization` field if a tab follows `Bearer`, or if `Bearer` follows a comma
 * (servers join two fields with a comma). `prove` refuses such a field as malformed. If this
 * function returned `undefined`, the request would count as a request without a token, and an
 * optional guard would admit it.
 */
function findMisplaced(field: string | null | undefined): string | undefined {
  return field && /^bearer\t|,\s*bearer\b/i.test(field) ? field : undefined
}

/**
 * Refuses a credential with a character that is not allowed in a token. Two `Authorization` fields
 * fail as well, because the server joins them with a comma.
 *
 * @throws {TokenError} with the reason `malformed_credential`
 */
function requireToken68(token: string): void {
  if (/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) return
  throw tokenError('malformed_credential', {
    detail:
      token === ''
        ? 'no token after Bearer'
        : 'characters outside token68, or two Authorization headers',
  })
}
