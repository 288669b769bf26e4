/** Tells which URLs lie within some origins and paths. */
export type Resources = (url: string) => boolean

/**
 * Whether a URL is one that gets the token: of the same origin as one of these, and at or below its path. A URL is compared
 * as `fetch` would request it, so neither `..` nor another spelling of the host leads elsewhere.
 *
 * @param urls absolute: an origin, or the URL of a path
 * @throws {TypeError} for another
 */
export function resourcesOf(urls: readonly string[]): Resources {
  const within = urls.map((url) => requireHttpUrl('resources', url))
  return (url) => {
    const { origin, pathname } = new URL(url)
    return within.some(
      (resource) => resource.origin === origin && `${pathname}/`.startsWith(asFolder(resource.pathname)),
    )
  }
}

/** @throws {TypeError} never repeats the URL, which may hold a password */
export function requireHttpUrl(option: string, text: unknown): URL {
  const url = parseUrl(text)
  if (!url || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw new TypeError(`${option} takes http or https URLs, absolute, without user, query and fragment`)
  }
  return url
}

/** As `URL.parse`, which browsers have only had since 2024. */
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
