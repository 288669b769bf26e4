/**
 * Finds what follows a scheme and its spaces in an `Authorization` field, untouched. Does NOT check
 * it: each scheme has a grammar of its own, and a value joined from two fields reaches the scheme
 * as it is.
 *
 * @returns `undefined` when there is no field, or one of another scheme; '' when nothing follows
 * @see RFC 9110 §11.4
 */
export function findCredential(
  field: string | null | undefined,
  scheme: string,
): string | undefined {
  if (!field) return undefined
  const { length } = scheme
  // Schemes are compared without case (RFC 9110 §11.1). The usual spelling needs no copy.
  const isScheme =
    field.startsWith(scheme) || field.slice(0, length).toLowerCase() === scheme.toLowerCase()
  if (!isScheme || (field.length > length && field[length] !== ' ')) return undefined
  let start = length
  while (field[start] === ' ') start++
  return field.slice(start)
}
