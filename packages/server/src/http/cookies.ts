import type { HttpRequestWithBody } from 'keystile/internal'

/**
 * Returns the values of all cookies with this name, as they were sent. An attacker on a sibling
 * domain can set a second cookie with this name (cookie tossing), so the caller must expect several
 * values.
 *
 * @see RFC 6265 §4.2.1 §8.6
 */
export function readCookies(
  { headers }: Pick<HttpRequestWithBody, 'headers'>,
  name: string,
): readonly string[] {
  const pairs = headers.get('cookie')?.split(';') ?? []
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
