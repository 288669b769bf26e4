// Parses URLs of servers, and says which of them are safe to use.

/**
 * Parses an http or https URL without user, query and fragment. Refuses backslashes and white
 * space, because the URL parser would repair them, and the URL would differ from the text.
 *
 * @returns `undefined` for any other value
 */
export function findServerUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !/^https?:\/\/[^\s?#\\]+$/.test(text)) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && !hasUser(url) ? url : undefined
}

export function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

/**
 * Whether a URL uses https, or its host is this machine. On a network, an attacker could change the
 * answers of an http server.
 */
export function isSafe(url: URL): boolean {
  return url.protocol === 'https:' || isLoopback(url)
}

/**
 * Whether the host of a URL is this machine. The class `URL` writes every spelling of an IPv4
 * address as four numbers, and refuses any other host name that ends in a number. So no host name
 * can look like 127.0.0.1.
 */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
