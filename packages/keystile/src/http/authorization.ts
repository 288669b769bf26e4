/**
 * Finds the credential in an `Authorization` header: the text after the scheme and its spaces,
 * unchanged.
 *
 * Does NOT check the credential: each scheme has its own grammar. If the platform joined two
 * headers into one, this function returns all text after the first scheme, and the scheme must
 * refuse it.
 *
 * @returns `undefined` if there is no header or it has another scheme; '' if no credential follows
 * @see RFC 9110 §11.4
 */
export function findCredential(
  field: string | null | undefined,
  scheme: string,
): string | undefined {
  if (!field) return undefined
  const { length } = scheme

  // Schemes are not case-sensitive (RFC 9110 §11.1). The first test avoids a copy in most cases.
  const isScheme =
    field.startsWith(scheme) || field.slice(0, length).toLowerCase() === scheme.toLowerCase()
  if (!isScheme || (field.length > length && field[length] !== ' ')) return undefined

  let start = length
  while (field[start] === ' ') start++
  return field.slice(start)
}
