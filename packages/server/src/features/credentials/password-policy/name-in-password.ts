// Finds names in a password that an attacker knows: those of its owner and of the service.

/**
 * A password must not contain a name of this length or longer. A shorter name may be in a password
 * by chance, so it is allowed if the rest of the password is long enough.
 */
const tellingLength = 5
/**
 * The minimum length of the names that are checked. Many words contain shorter names,
 * such as `al`.
 */
const minNameLength = 3
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
 * Returns the fault of a password that contains one of the names. Many words contain a short name
 * by chance. So a password may contain a short name if the rest of the password is long enough.
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

  return short && lengthOf(rest) < minLength
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

/** Returns the number of code points, as NIST SP 800-63B-4 §3.1.1.2 demands. */
export function lengthOf(text: string): number {
  return Array.from(text).length
}
