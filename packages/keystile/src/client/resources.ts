/** Returns whether a URL is one of the resources, or is below one of the resources. */
export type IsResource = (url: string) => boolean

/**
 * Creates the function that decides whether a URL receives the token. The given URLs and all URLs
 * below them receive the token. The function compares URLs after it has normalized them as `fetch`
 * does. So a `..` in the path or an unusual spelling of the host cannot trick the client into
 * sending the token elsewhere.
 *
 * @param urls absolute URLs: an origin, or a URL with a path
 * @throws {TypeError} for a URL that `requireSafeUrl` refuses
 */
export function resourcesOf(urls: readonly string[], allowsHttp: boolean): IsResource {
  const within = urls.map((url) => requireSafeUrl('resources', url, allowsHttp))

  return (url) => {
    const { origin, pathname } = new URL(url)
    return within.some(
      (resource) =>
        resource.origin === origin && `${pathname}/`.startsWith(asFolder(resource.pathname)),
    )
  }
}

/**
 * Parses a URL and returns it if it is safe for passwords and tokens: an https URL, or an http URL
 * of this machine. If `allowsHttp` is set, every http URL counts as safe.
 *
 * @throws {TypeError} for any other URL. The message does not contain the URL, which may
 *   contain a password
 */
export function requireSafeUrl(option: string, text: unknown, allowsHttp: boolean): URL {
  const url = parseUrl(text)
  const isPlain =
    url &&
    `${url.username}${url.password}` === '' &&
    // `search` and `hash` are also empty for a URL that ends in `?` or `#`.
    !/[?#]/.test(url.href) &&
    !url.hostname.includes('*')
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError(
      `\`${option}\` must be an absolute https URL without user, query, fragment or *`,
    )
  }
  if (url.protocol === 'https:' || allowsHttp || isThisMachine(url.hostname)) return url
  throw new TypeError(
    `\`${option}\` must be an https URL: over http, passwords and tokens are readable on the ` +
      'network. If the network is protected in another way, set dangerouslyAllowHttpIssuer',
  )
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/** Parses a URL. Works like `URL.parse`, which older browsers (before 2024) do not have. */
function parseUrl(text: unknown): URL | undefined {
  try {
    return new URL(String(text))
  } catch {
    // Not a URL.
  }
  return undefined
}

/** Adds a slash at the end, so that `/api` does not include `/apis`. */
function asFolder(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
