// Checks against cross-site request forgery.
import { ProblemError, type HttpRequestWithBody } from 'keystile/internal'

type OriginCheck = (request: Pick<HttpRequestWithBody, 'headers'>) => void

/**
 * Creates the check for requests that use a cookie. It refuses a request from a page whose origin
 * is not allowed. Browsers send the header `Origin` with every POST and DELETE, so a request
 * without it, or with the value `null`, does not come from a page of an allowed origin. The check
 * compares whole origins, because a prefix or suffix would also match a host of an attacker.
 *
 * Does NOT prove that a browser sent the request.
 */
export function createOriginCheck(allowed: readonly string[]): OriginCheck {
  const origins = new Set(allowed)
  return ({ headers }) => {
    const origin = headers.get('origin')
    // RFC 6749 has no code for this refusal, so `/session` answers 403 with `invalid_request`.
    if (!origin || !origins.has(origin)) throw refusedOrigin(origins)
  }
}

/**
 * Creates the check for all other requests that may change something. It refuses a request that a
 * browser sends for a page of an origin that is not allowed. Otherwise such a page could use up the
 * limits by IP address of the networks of its visitors. Browsers say in `Sec-Fetch-Site` whose page
 * sends a request. Without it (an old browser, or an issuer with http), `Origin` decides, except
 * the value `null`: Keystile's own pages send it too, because they have no referrer.
 *
 * Accepts every request with neither header: browsers send at least one.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function createVisitorCheck(allowed: readonly string[]): OriginCheck {
  const origins = new Set(allowed)
  return ({ headers }) => {
    const origin = headers.get('origin')
    if (origin && origins.has(origin)) return
    const isForeign = headers.get('sec-fetch-site')
      ? isCausedElsewhere({ headers })
      : Boolean(origin) && origin !== 'null'
    if (isForeign) throw refusedOrigin(origins)
  }
}

/**
 * Whether a browser sends a request because of a page of another origin, such as a click on a link
 * or an image (`Sec-Fetch-Site`). False for browsers that do not say so.
 */
export function isCausedElsewhere({ headers }: Pick<HttpRequestWithBody, 'headers'>): boolean {
  return foreignSites.has(headers.get('sec-fetch-site') ?? '')
}

const foreignSites: ReadonlySet<string> = new Set(['cross-site', 'same-site'])

function refusedOrigin(origins: ReadonlySet<string>): ProblemError {
  return new ProblemError('forbidden', `The Origin must be one of ${[...origins].join(', ')}`)
}
