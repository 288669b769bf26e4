// Finds the keys of an issuer by its published metadata, and says which URLs are safe to fetch.
import { findJson, type Fetch } from './fetch-json.ts'

/**
 * Refuses an issuer whose keys cannot be fetched safely. It must be an https URL without user,
 * query and fragment. http is accepted only on this machine: on a network, an attacker could
 * replace the keys.
 *
 * @throws {TypeError} whose message never repeats the URL, which may contain a password
 * @see RFC 8414 §2
 */
export function requireDiscoverable(issuer: string): void {
  // `iss` is compared with the string, but the keys are fetched from the parsed URL. Both must be
  // the same, so backslashes and white space are refused: the URL parser would repair them.
  const url =
    /^https?:\/\/[^\s?#\\]+$/.test(issuer) && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || hasUser(url)) {
    throw new TypeError(
      '`issuer` must be an https URL without user, query and fragment, so that its keys can be ' +
        'fetched; for another issuer, pass its keys as `keys`',
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new TypeError(
      `\`issuer\` must be an https URL; it is ${url.origin}. ` +
        'Fix: use https; http is accepted only on localhost, 127.0.0.0/8 and [::1]',
    )
  }
}

/**
 * Checks the URL of a key set, and returns it in normal form. It must be an https URL without user
 * and fragment. An http URL is accepted only on this machine.
 *
 * @throws {TypeError} whose message never repeats the URL, which may contain a password
 */
export function requireJwksUri(uri: unknown): string {
  const url =
    typeof uri === 'string' && /^https?:\/\/[^\s\\#]+$/.test(uri) && URL.canParse(uri)
      ? new URL(uri)
      : undefined
  if (!url || hasUser(url)) {
    throw new TypeError('`jwksUri` must be the https URL of a key set, without user and fragment')
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new TypeError(
      `\`jwksUri\` must be an https URL; it is on ${url.origin}. ` +
        'Fix: use https; http is accepted only on localhost, 127.0.0.0/8 and [::1]',
    )
  }
  return url.href
}

/**
 * Asks an issuer for the URL of its keys. It tries these metadata URLs in this order, and goes on
 * to the next URL only if the issuer has no document at this one. Cognito, for example, answers 400
 * at the first two.
 *
 * * The URL of RFC 8414, with the well-known path before the issuer's path
 * * The same well-known path after the issuer's path
 * * The URL of OpenID Connect
 *
 * The metadata must name exactly this issuer, so that no other issuer's metadata is used (§3.3).
 * `jwks_uri` must be an https URL. It may be an http URL only if the issuer is an http URL too, and
 * both are on this machine.
 *
 * @param issuer must have passed `requireDiscoverable`
 * @returns the checked `jwks_uri`
 * @throws {Error} with the reason
 * @see RFC 8414 §3
 */
export async function fetchJwksUri(
  issuer: string,
  options: { readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<string> {
  const statuses: number[] = []
  for (const url of metadataUrls(issuer)) {
    const found = await findJson(url, options)
    if ('status' in found) {
      statuses.push(found.status)
      continue
    }

    if (found.value['issuer'] !== issuer)
      throw new Error(`${url} must be the metadata of ${issuer}; it names another "issuer"`)
    return jwksUriOf(found.value['jwks_uri'], issuer)
  }
  throw new Error(
    `${issuer} publishes no metadata: its well-known URLs answered ${statuses.join(', ')}`,
  )
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '') // RFC 8414 §3.1 removes the final slash
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
    throw new Error(`"jwks_uri" in the metadata of ${issuer} must be an https URL`)
  }
  return url.href
}

function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

/**
 * Whether the host of a URL is this machine. The class `URL` writes every spelling of an IPv4
 * address as four numbers, and refuses any other host name that ends in a number. So no host name
 * can look like 127.0.0.1.
 */
function isLoopback({ hostname }: URL): boolean {
  // Stryker disable next-line Regex: only an IPv4 address ends in a number, see above
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
