/**
 * Rows of the alphabet and of keyboards, in both directions. A row that can start anew is there
 * twice.
 */
const rows: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz'.repeat(2),
  '1234567890'.repeat(2),
  ...`!@#$%^&*() qwertyuiop[] asdfghjkl;' zxcvbnm,./ qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn`.split(
    ' ',
  ),
  ...'1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik, 9ol. 0p;/'.split(' '),
].flatMap((row) => [row, Array.from(row).toReversed().join('')])
/** For each character, the rest of each row from there on. */
const rowsFrom: ReadonlyMap<string, readonly string[]> = new Map(
  Array.from(new Set(rows.join('')), (character) => [
    character,
    rows.filter((row) => row.includes(character)).map((row) => row.slice(row.indexOf(character))),
  ]),
)

/** Shorter pieces of rows are in many words by chance. */
const meanRowLength = 3
const minCoreLength = 4
/** The longest entry of the blocklist. */
const maxCommonLength = 20

/**
 * Says why attackers would try a password, as the end of a sentence; else undefined. It judges the
 * whole password (NIST SP 800-63B-4 §3.1.1.2), so a common word among others is allowed.
 *
 * @param password in small letters
 * @param isCommon whether a text is on the blocklist
 * @param minLength the least length of a password. A repeated text and the text around a common
 *   word must have it by themselves, and a password of rows must have as many of them
 */
export function findExpected(
  password: string,
  isCommon: (text: string) => boolean,
  minLength: number,
): string | undefined {
  const characters = Array.from(password)
  return findPlain(characters) ?? findPadded(characters)

  function findPlain(part: readonly string[]): string | undefined {
    if (part.length <= maxCommonLength && isCommon(part.join('')))
      return 'one of the most common ones'
    const unit = periodOf(part)
    if (unit < minLength && part.length >= 2 * unit - 1) return 'something short that is repeated' // the last copy may lack a space
    const isWoven = (): boolean =>
      [0, 1].every((which) =>
        isInRows(
          part.filter((_, i) => i % 2 === which),
          minLength,
        ),
      ) // two rows that take turns
    return isInRows(part, minLength) || isWoven() ? 'a row of letters, digits or keys' : undefined
  }

  /**
   * A common word or something as simple, between digits and signs that are too weak themselves.
   */
  function findPadded(whole: readonly string[]): string | undefined {
    const [first, last] = [whole.findIndex(isLetter), whole.findLastIndex(isLetter)]
    const isPadding = (outside: readonly string[]): boolean =>
      outside.length < minLength || findPlain(outside) !== undefined
    for (let start = Math.max(0, last + 1 - maxCommonLength); start <= first; start++) {
      for (let end = last + 1; end <= Math.min(whole.length, start + maxCommonLength); end++) {
        const isCore = isCommon(whole.slice(start, end).join(''))
        if (isCore && isPadding([...whole.slice(0, start), ...whole.slice(end)]))
          return 'a common word with digits or signs around it'
      }
    }
    const core = whole.slice(first, last + 1)
    const isCore =
      core.length >= minCoreLength && core.length < whole.length && findPlain(core) !== undefined
    return isCore && isPadding([...whole.slice(0, first), ...whole.slice(last + 1)])
      ? 'something simple with digits or signs around it'
      : undefined
  }
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character)
}

/** The length of the text that the characters repeat. The last copy may be cut short. */
function periodOf(characters: readonly string[]): number {
  const borders = [0] // for each prefix, the length of its longest suffix that is a prefix, too
  for (let i = 1, border = 0; i < characters.length; i++) {
    while (border > 0 && characters[i] !== characters[border]) border = borders[border - 1] ?? 0
    if (characters[i] === characters[border]) border++
    borders.push(border)
  }
  return characters.length - (borders.at(-1) ?? 0)
}

/** Whether characters are few pieces, long on average, of rows or of one repeated character. */
function isInRows(characters: readonly string[], minLength: number): boolean {
  let pieces = 0
  for (let at = 0; at < characters.length && pieces < minLength; at += pieceAt(characters, at))
    pieces++
  return pieces < minLength && pieces * meanRowLength <= characters.length
}

/** The length of the longest piece that begins here. */
function pieceAt(characters: readonly string[], start: number): number {
  const longest = (follows: (offset: number) => boolean): number => {
    let length = 1
    while (start + length < characters.length && follows(length)) length++
    return length
  }
  const alike = longest((offset) => characters[start + offset] === characters[start])
  const first = characters[start]
  const rows = (first === undefined ? undefined : rowsFrom.get(first)) ?? []
  const inRows = rows.map((row) => longest((offset) => row[offset] === characters[start + offset]))
  return Math.max(alike, ...inRows)
}
