import type { HttpRequestWithBody } from 'keystile/internal'

/**
 * Returns the values of all cookies with this name, as they were sent. An attacker on a sibling
 * domain can set a second cookie with this name (cookie tossing), so the caller must expect several
 * values. Removes only spaces and tabs before a cookie, and not the other white space that `trim()`
 * removes: for a browser, `\u00A0__Host-name` does not begin with `__Host-`, so anyone may set it.
 *
 * @see RFC 6265 §4.2.1 §8.6
 */
export function readCookies(
  { headers }: Pick<HttpRequestWithBody, 'headers'>,
  name: string,
): readonly string[] {
  const pairs = headers.get('cookie')?.split(';') ?? []
  return (
    pairs
      // `[ \t]+$` would need quadratic time for many spaces that are not at the end.
      .map((pair) => pair.replace(/^[ \t]+/, ''))
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1).trimEnd())
  )
}
