import { findJson, type Fetch } from './fetch-json.ts'

/**
 * Refuses an issuer whose keys cannot be fetched safely: a URL of https, without query, fragment or
 * user; http only on this machine.
 *
 * @throws {TypeError} never repeats the URL, which may hold a password
 * @see RFC 8414 §2
 */
export function requireDiscoverable(issuer: string): void {
  // What a URL parser would clean up is not there, so that the text and the URL say the same.
  const url =
    /^https?:\/\/[^\s?#\\]+$/.test(issuer) && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || hasUser(url)) {
    throw new TypeError(
      'an issuer whose keys are fetched is an https URL without query and fragment; else pass keys',
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new TypeError(
      'keys are fetched from an http issuer on localhost, 127.0.0.0/8 or [::1] only: use https',
    )
  }
}

/**
 * Refuses a URL from which a key set cannot be fetched safely: it must be https, or http on this
 * machine, without user and fragment.
 *
 * @throws {TypeError} never repeats the URL, which may hold a password
 */
export function requireJwksUri(uri: unknown): string {
  const url =
    typeof uri === 'string' && /^https?:\/\/[^\s\\#]+$/.test(uri) && URL.canParse(uri)
      ? new URL(uri)
      : undefined
  if (!url || hasUser(url)) {
    throw new TypeError('jwksUri must be the https URL of a key set, without user and fragment')
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new TypeError('jwksUri may be http on localhost, 127.0.0.0/8 or [::1] only: use https')
  }
  return url.href
}

/**
 * Asks an issuer where its keys are: RFC 8414's metadata, the path of the issuer inserted; where
 * that is 404, appended; where that is too, OpenID's. The metadata must name exactly this issuer,
 * or it is somebody else's (§3.3). Keys come over https, or over http where they never leave this
 * machine.
 *
 * @param issuer has passed `requireDiscoverable`
 * @returns the checked `jwks_uri`
 * @throws {Error} with the reason
 * @see RFC 8414 §3
 */
export async function fetchJwksUri(
  issuer: string,
  options: { readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<string> {
  for (const url of metadataUrls(issuer)) {
    const found = await findJson(url, options)
    if (!found) continue
    if (found.value['issuer'] !== issuer)
      throw new Error(`${url} is not the metadata of ${issuer}: another "issuer"`)
    return jwksUriOf(found.value['jwks_uri'], issuer)
  }
  throw new Error(`${issuer} publishes no metadata: 404`)
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '') // RFC 8414 §3.1
  const [oauth, openid] = [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
  ]
  return [
    ...new Set([
      `${origin}${oauth}${path}`,
      `${origin}${path}${oauth}`,
      `${origin}${path}${openid}`,
    ]),
  ]
}

function jwksUriOf(uri: unknown, issuer: string): string {
  const url = typeof uri === 'string' && URL.canParse(uri) ? new URL(uri) : undefined
  const isLocal =
    url?.protocol === 'http:' && isLoopback(url) && new URL(issuer).protocol === 'http:'
  if (!url || hasUser(url) || !(url.protocol === 'https:' || isLocal)) {
    throw new Error(`the metadata of ${issuer} has no https "jwks_uri"`)
  }
  return url.href
}

function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

/** A URL writes each spelling of an IPv4 address as four numbers, so no name looks like one. */
function isLoopback({ hostname }: URL): boolean {
  // Stryker disable next-line Regex: only an IPv4 address ends in a number, as said above
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
