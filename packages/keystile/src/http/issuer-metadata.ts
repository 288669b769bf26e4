// Finds the keys of an issuer by its published metadata, and says which URLs are safe to fetch.
import { kindOf } from '../base/options.ts'
import { findJson, type Fetch } from './fetch-json.ts'
import { findServerUrl, hasUser, isLoopback, isSafe } from './server-url.ts'

/**
 * Refuses an issuer whose keys cannot be fetched safely. The issuer must be an https URL without
 * user, query or fragment. An http URL is accepted only on this machine: on a network, an attacker
 * could replace the keys.
 *
 * @throws {TypeError} The message contains at most the origin of the URL, because the rest may
 *   contain a password
 * @see RFC 8414 §2
 */
export function requireDiscoverable(issuer: string): void {
  // `iss` is compared with the string, but the keys are fetched from the parsed URL.
  const url = findServerUrl(issuer)
  if (!url) {
    throw new TypeError(
      '`issuer` must be an https URL without user, query or fragment, because its keys are ' +
        'fetched from there. Fix: correct the URL, or pass the keys of the issuer as `keys`',
    )
  }
  if (!isSafe(url)) {
    throw new TypeError(
      `\`issuer\` must be an https URL; it is ${url.origin}. ` +
        'Fix: use https; http is accepted only on localhost, 127.0.0.0/8 and [::1]',
    )
  }
}

/**
 * Checks the URL of a key set, and returns the normalized URL. The URL must be an https URL without
 * user or fragment. An http URL is accepted only on this machine.
 *
 * @throws {TypeError} The message contains at most the origin of the URL, because the rest may
 *   contain a password
 */
export function requireJwksUri(uri: unknown): string {
  const url =
    typeof uri === 'string' && /^https?:\/\/[^\s\\#]+$/.test(uri) && URL.canParse(uri)
      ? new URL(uri)
      : undefined
  if (!url || hasUser(url)) {
    throw new TypeError('`jwksUri` must be the https URL of a key set, without user or fragment')
  }
  if (!isSafe(url)) {
    throw new TypeError(
      `\`jwksUri\` must be an https URL; its origin is ${url.origin}. ` +
        'Fix: use https; http is accepted only on localhost, 127.0.0.0/8 and [::1]',
    )
  }
  return url.href
}

/**
 * Asks an issuer for the URL of its keys. It fetches the following metadata URLs one after the
 * other, and stops at the first URL that has a document. Cognito, for example, answers 400 at the
 * first two.
 *
 * * The URL of RFC 8414, with the well-known path before the issuer's path
 * * The same well-known path after the issuer's path
 * * The URL of OpenID Connect
 *
 * The `issuer` in the metadata must be exactly this issuer, so that no other issuer's metadata is
 * used (RFC 8414 §3.3). `jwks_uri` must be an https URL. It may be an http URL only if the issuer
 * is an http URL too, and both are on this machine.
 *
 * @param issuer must have passed `requireDiscoverable`
 * @returns the checked `jwks_uri`
 * @throws {Error} The message says which step failed
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

    const named = found.value['issuer']
    if (named !== issuer)
      throw new Error(`the "issuer" in ${url} must be ${issuer}; it is ${shown(named)}`)
    return jwksUriOf(found.value['jwks_uri'], issuer)
  }
  throw new Error(
    `${issuer} publishes no metadata: its well-known URLs answered ${statuses.join(', ')}`,
  )
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '') // RFC 8414 §3.1 removes the final slash
  const oauth = '/.well-known/oauth-authorization-server'
  const openid = '/.well-known/openid-configuration'
  const urls = [`${origin}${oauth}${path}`, `${origin}${path}${oauth}`, `${origin}${path}${openid}`]
  return [...new Set(urls)] // without a path, the first two are the same
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

/** A message shows at most this many characters of an `issuer` that a server sent. */
const maxShownLength = 80

/**
 * Describes the wrong `issuer` in fetched metadata for an error message. The metadata is public, so
 * the message may show it. Escapes everything but visible ASCII, because a log or a terminal shows
 * the message.
 */
function shown(named: unknown): string {
  if (typeof named !== 'string') return kindOf(named)
  const printable = JSON.stringify(named).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return printable.length <= maxShownLength
    ? printable
    : `${printable.slice(0, maxShownLength - '…"'.length)}…"`
}
