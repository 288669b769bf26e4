/** Whether a URL is at or below one of some URLs. */
export type Resources = (url: string) => boolean

/**
 * Makes the test for URLs that get the token: those at or below one of these. It compares URLs as
 * `fetch` would request them, so neither `..` nor another spelling of the host escapes it.
 *
 * @param urls absolute: an origin, or the URL of a path
 * @throws {TypeError} for any other URL
 */
export function resourcesOf(urls: readonly string[], allowsHttp: boolean): Resources {
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
 * Requires a URL that is safe for passwords and tokens: https, or http to this machine.
 *
 * @throws {TypeError} never repeats the URL, which may hold a password
 */
export function requireSafeUrl(option: string, text: unknown, allowsHttp: boolean): URL {
  const url = parseUrl(text)
  const isPlain =
    url &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    !url.hostname.includes('*')
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(
      `\`${option}\` must be an absolute https URL, without user, query, fragment and *`,
    )
  }
  if (url.protocol === 'https:' || allowsHttp || isThisMachine(url.hostname)) return url
  throw new TypeError(
    `\`${option}\` must be an https URL: over http, anybody on the network reads passwords and tokens. ` +
      'Where something else protects the way, set dangerouslyAllowHttpIssuer',
  )
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/** Works as `URL.parse`, which browsers have only since 2024. */
function parseUrl(text: unknown): URL | undefined {
  try {
    return new URL(String(text))
  } catch {
    return undefined
  }
}

function asFolder(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
