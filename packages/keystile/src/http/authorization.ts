/**
 * Finds the credential in an `Authorization` header: the text after the scheme and its spaces,
 * unchanged.
 *
 * Does NOT check the credential, because each scheme has its own grammar. If the platform joined
 * two `Authorization` headers into one, the result contains both credentials. The code of the
 * scheme must refuse such a result.
 *
 * @returns `undefined` if there is no header or the header has a different scheme; an empty string
 *   if nothing follows the scheme
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
