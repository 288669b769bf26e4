// Finds names in a password that an attacker knows: those of its owner and of the service.

/** Names that are shorter are not checked. */
const minNameLength = 3
/**
 * A password must not contain a name of this length or longer. Many words contain a shorter name by
 * chance, such as `ann`.
 */
const tellingLength = 5
/**
 * A pattern for separators between the letters of a name, because people write `ada.lovelace` as
 * `ada-lovelace`.
 */
const separators = String.raw`[\s._+-]*`

export interface KnownName {
  readonly name: string
  /** How a message refers to the name, such as `your username`. */
  readonly what: string
}

/**
 * Returns the fault of a password that contains one of the names. A name shorter than
 * `tellingLength` is allowed if the rest of the password is long enough.
 */
export function findNameFault(
  password: string,
  names: readonly KnownName[],
  minLength: number,
): string | undefined {
  let rest = password
  let short: string | undefined
  for (const { name, what } of names) {
    const letters = Array.from(name.replace(new RegExp(separators, 'gu'), ''))
    if (letters.length < minNameLength) continue

    const without = rest.replace(patternOf(letters), '')
    if (without === rest) continue

    if (letters.length >= tellingLength) return `Password should not contain ${what}`
    rest = without
    short ??= what
  }

  return short && Array.from(rest).length < minLength
    ? `Password should have at least ${minLength} characters besides ${short}`
    : undefined
}

/** Returns a pattern for a name in any case, with or without separators between its letters. */
function patternOf(letters: readonly string[]): RegExp {
  return new RegExp(
    letters
      .map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`))
      .join(separators),
    'giu',
  )
}
