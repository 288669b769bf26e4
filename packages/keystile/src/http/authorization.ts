/** The parts of an `Authorization` field: the scheme, and what follows it, untouched. */
export interface Authorization {
  /** In lower case: schemes are compared without case (RFC 9110 §11.1). */
  readonly scheme: string
  readonly value: string
}

/**
 * Splits an `Authorization` field at the first spaces after its scheme. Does NOT check what follows: each scheme has a
 * grammar of its own, and a value joined from two fields reaches the scheme as it is.
 *
 * @returns `undefined` when there is no field, or an empty one
 * @see RFC 9110 §11.4
 */
export function parseAuthorization(field: string | null | undefined): Authorization | undefined {
  if (!field) return undefined
  const space = field.indexOf(' ')
  if (space < 0) return { scheme: field.toLowerCase(), value: '' }
  let start = space
  while (field[start] === ' ') start++
  return { scheme: field.slice(0, space).toLowerCase(), value: field.slice(start) }
}
