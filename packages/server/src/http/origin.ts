import { ProblemError, type HttpRequestWithBody } from 'keystile/internal'

/**
 * Creates the check against cross-site request forgery. It refuses a request from a page whose
 * origin is not allowed. Browsers send the header `Origin` with every POST and DELETE, so a request
 * without it, or with the value `null`, does not come from a page of an allowed origin. The check
 * compares whole origins, because a prefix or suffix would also match a host of an attacker.
 *
 * Does NOT prove that a browser sent the request.
 */
export function createOriginCheck(
  allowed: readonly string[],
): (request: Pick<HttpRequestWithBody, 'headers'>) => void {
  const origins = new Set(allowed)
  return ({ headers }) => {
    const origin = headers.get('origin')
    // RFC 6749 has no code for this refusal, so `/session` answers 403 with `invalid_request`.
    if (!origin || !origins.has(origin))
      throw new ProblemError('forbidden', `The Origin must be one of ${[...origins].join(', ')}`)
  }
}
