// Finds passwords that attackers try first: common, repeated, or typed along a row of keys.

const qwerty = ['!@#$%^&*()', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./']
const qwertz = ['qwertzuiop', 'yxcvbnm']
const azerty = ['azertyuiop', 'qsdfghjklm', 'wxcvbn']
const columns = '1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik, 9ol. 0p;/'.split(' ')

/**
 * The alphabet, the digits and the rows of keyboards, in both directions. The alphabet and the
 * digits are written twice, because people write `yzab` and `9012`.
 */
const rows: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz'.repeat(2),
  '1234567890'.repeat(2),
  ...qwerty,
  ...qwertz,
  ...azerty,
  ...columns,
].flatMap((row) => [row, Array.from(row).toReversed().join('')])

/**
 * Maps each character to the strings of `rows` that contain the character. Each string is cut so
 * that it begins with the character.
 */
const rowsFrom: ReadonlyMap<string, readonly string[]> = new Map(
  Array.from(new Set(rows.flatMap((row) => Array.from(row))), (character) => [
    character,
    rows.filter((row) => row.includes(character)).map((row) => startingAt(row, character)),
  ]),
)

/** Returns the end of an entry of `rows`: the text from the first `character` on. */
function startingAt(row: string, character: string): string {
  return row.slice(row.indexOf(character))
}

/**
 * A password that consists of a few pieces of `rows` is refused if the pieces have at least this
 * many characters on average. Shorter pieces, such as `as` and `er`, are in many words by chance.
 */
const meanRowLength = 3
/**
 * The minimum length of a core that can make a password too simple. The core is what is left of a
 * password without the digits and signs at its start and end. Shorter cores, such as `abc`, do not
 * count, because good passwords contain them by chance.
 */
const minCoreLength = 4
/** The length of the longest entry of the blocklist. */
const maxCommonLength = 20

/**
 * Returns the reason if attackers would guess a password early, or undefined if they would not. The
 * reason is the end of a sentence that begins with "Password should not be". The function judges
 * the whole password (NIST SP 800-63B-4 §3.1.1.2), so a common word among other words is allowed.
 *
 * @param password in lower case
 * @param isCommon tells whether a string is on the blocklist
 * @param minLength the minimum number of characters of a password, of a part that is repeated, and
 *   of the text around a common word. Also the minimum number of pieces in a password that consists
 *   only of long pieces of keyboard rows: `qwert12345` consists of two such pieces
 */
export function findExpected(
  password: string,
  isCommon: (text: string) => boolean,
  minLength: number,
): string | undefined {
  const characters = Array.from(password)
  const rules = { isCommon, minLength }
  return findSimple(characters, rules) ?? findPadded(characters, rules)
}

interface Rules {
  readonly isCommon: (text: string) => boolean
  readonly minLength: number
}

function findSimple(part: readonly string[], { isCommon, minLength }: Rules): string | undefined {
  if (part.length <= maxCommonLength && isCommon(part.join('')))
    return 'one of the most common passwords'

  const unit = periodOf(part)
  // Minus 1, because the last copy may lack its final space: `zebra-7 zebra-7`.
  if (unit < minLength && part.length >= 2 * unit - 1) return 'something short that is repeated'

  if (isInRows(part, minLength) || areTwoRows(part, minLength))
    return 'a row of letters, digits or keys'
  return undefined
}

/**
 * Returns the reason if a password is a simple core, such as a common word, and the digits and
 * signs around the core are too few or too simple.
 */
function findPadded(password: readonly string[], rules: Rules): string | undefined {
  const start = password.findIndex(isLetter)
  const end = password.findLastIndex(isLetter) + 1
  if (hasCommonCore(password, { start, end }, rules))
    return 'a common word with digits or signs around it'

  const core = password.slice(start, end)
  const isSimple = core.length >= minCoreLength && findSimple(core, rules) !== undefined
  return isSimple && isPadding([...password.slice(0, start), ...password.slice(end)], rules)
    ? 'something simple with digits or signs around it'
    : undefined
}

/** Whether a common password, such as `p4ssw0rd!`, has all letters, and the rest is padding. */
function hasCommonCore(
  password: readonly string[],
  letters: { readonly start: number; readonly end: number },
  rules: Rules,
): boolean {
  for (let start = 0; start <= letters.start; start++) {
    const maxEnd = Math.min(password.length, start + maxCommonLength)
    for (let end = letters.end; end <= maxEnd; end++) {
      const outside = [...password.slice(0, start), ...password.slice(end)]
      if (rules.isCommon(password.slice(start, end).join('')) && isPadding(outside, rules))
        return true
    }
  }
  return false
}

/** Whether the characters around a core make a password no better. */
function isPadding(outside: readonly string[], rules: Rules): boolean {
  return outside.length < rules.minLength || findSimple(outside, rules) !== undefined
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character)
}

/**
 * Returns the length of the shortest unit that is repeated: 3 for `abcabca`, whose last copy is
 * incomplete. If nothing repeats, returns the number of characters. Uses the prefix function of
 * Knuth, Morris and Pratt, so its time is linear.
 */
function periodOf(characters: readonly string[]): number {
  const borders = [0] // for each prefix: the length of its longest suffix that is also a prefix
  for (let i = 1, border = 0; i < characters.length; i++) {
    while (border > 0 && characters[i] !== characters[border]) border = borders[border - 1] ?? 0
    if (characters[i] === characters[border]) border++
    borders.push(border)
  }
  return characters.length - (borders.at(-1) ?? 0)
}

/**
 * Whether the characters consist of a few long pieces. Each piece is one repeated character, or a
 * part of the alphabet, of the digits or of a row of keys. Short pieces do not count, because every
 * string can be cut into short pieces.
 */
function isInRows(characters: readonly string[], minLength: number): boolean {
  let pieces = 0
  for (let at = 0; at < characters.length; at += pieceAt(characters, at)) {
    pieces++
    // Ends early, so that a long password does not take long.
    if (pieces === minLength) return false
  }
  return pieces * meanRowLength <= characters.length
}

/** Whether the characters of two rows alternate, as in `1a2b3c4d5e`. */
function areTwoRows(characters: readonly string[], minLength: number): boolean {
  const half = (which: number): readonly string[] => characters.filter((_, i) => i % 2 === which)
  return isInRows(half(0), minLength) && isInRows(half(1), minLength)
}

/** Returns the length of the longest piece that begins at `start`. */
function pieceAt(characters: readonly string[], start: number): number {
  const longest = (follows: (offset: number) => boolean): number => {
    let length = 1
    while (start + length < characters.length && follows(length)) length++
    return length
  }
  const alike = longest((offset) => characters[start + offset] === characters[start])
  const first = characters[start]
  const rowsHere = (first === undefined ? undefined : rowsFrom.get(first)) ?? []
  const inRows = rowsHere.map((row) =>
    longest((offset) => row[offset] === characters[start + offset]),
  )
  return Math.max(alike, ...inRows)
}
