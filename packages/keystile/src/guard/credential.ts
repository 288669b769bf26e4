import { tokenError } from '../base/errors.ts'
import { parseAuthorization } from '../http/authorization.ts'
import type { HttpRequest } from '../http/message.ts'

/**
 * The bearer token that a request presents, or `undefined` when it presents none; another scheme is none. Only the
 * `Authorization` field is looked at, never the query, the body or a cookie.
 *
 * Does NOT check the token.
 *
 * @throws {TokenError} `invalid_request` for `Bearer` without a token or with characters that no token has, which is
 *   also how two fields look once they are joined by a comma
 * @see RFC 6750 §2.1, OAuth 2.1 §5.1
 */
export function readBearerToken(request: HttpRequest): string | undefined {
  const field = request.headers.get('authorization')
  const authorization = parseAuthorization(field)
  if (authorization === undefined) return undefined
  const { scheme, value } = authorization
  // A second field behind one of another scheme, or a tab where a space belongs.
  const isMalformed = /,\s*bearer\b/i.test(field!) || scheme.startsWith('bearer\t')
  if (scheme !== 'bearer' && !isMalformed) return undefined
  if (isMalformed || !/^[A-Za-z0-9\-._~+/]+=*$/.test(value)) {
    throw tokenError('malformed_credential', {
      detail: /^bearer *$/i.test(field!)
        ? 'no token after Bearer'
        : 'characters outside token68, or two Authorization headers',
    })
  }
  return value
}
