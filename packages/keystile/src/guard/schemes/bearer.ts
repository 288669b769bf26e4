import { tokenError } from '../../base/errors.ts'
import { findCredential } from '../../http/authorization.ts'
import type { CredentialScheme } from './scheme.ts'

/**
 * `Authorization: Bearer` and one token. No query, body or cookie is read.
 *
 * @see RFC 6750 §2.1, OAuth 2.1 §5.1
 */
export const bearer: CredentialScheme = {
  find(request) {
    const field = request.headers.get('authorization')
    return findCredential(field, 'Bearer') ?? findMisplaced(field)
  },

  // Only well-formed tokens were ever proved, so a malformed one is not found.
  recall: (token, verifier) => verifier.recall?.(token),

  prove(token, verifier, demand) {
    requireToken68(token)
    return verifier.verify(token, demand)
  },
}

/**
 * Returns a whole field that must not pass for another scheme: it has a tab where a space belongs,
 * or was joined with a second field of `Bearer`. No such field is a token.
 */
function findMisplaced(field: string | null | undefined): string | undefined {
  return field && /^bearer\t|,\s*bearer\b/i.test(field) ? field : undefined
}

/**
 * Refuses a credential with characters that no token has. Two fields look so as well, for they are
 * joined by a comma.
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
