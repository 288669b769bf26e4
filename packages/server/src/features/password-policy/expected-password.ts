/** Rows that fingers or minds follow, in both directions; those that go round are there twice. */
const rows: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz'.repeat(2),
  '1234567890'.repeat(2),
  ...`!@#$%^&*() qwertyuiop[] asdfghjkl;' zxcvbnm,./ qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn`.split(' '),
  ...'1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik, 9ol. 0p;/'.split(' '),
].flatMap((row) => [row, Array.from(row).toReversed().join('')])
/** By character, the rest of each row that it stands in. */
const rowsFrom: ReadonlyMap<string, readonly string[]> = new Map(
  Array.from(new Set(rows.join('')), (character) => [
    character,
    rows.filter((row) => row.includes(character)).map((row) => row.slice(row.indexOf(character))),
  ]),
)

/** A piece of a row as short as this says little: words have them by chance. */
const meanRowLength = 3
const minCoreLength = 4
/** No entry of the blocklist is longer. */
const maxCommonLength = 20

/**
 * What makes a password one that is expected, as the end of a sentence, or nothing. The whole of it is looked at (NIST SP 800-63B-4
 * §3.1.1.2): a common word among others is none of its matters.
 *
 * @param password in small letters
 * @param isCommon whether a text is on the blocklist
 * @param minLength the least length of a password: what is repeated must have it once, what stands around a common word by itself, and
 * rows must be as many
 */
export function findExpected(
  password: string,
  isCommon: (text: string) => boolean,
  minLength: number,
): string | undefined {
  const characters = Array.from(password)
  return findPlain(characters) ?? findPadded(characters)

  function findPlain(part: readonly string[]): string | undefined {
    if (part.length <= maxCommonLength && isCommon(part.join(''))) return 'one of the most common ones'
    const unit = periodOf(part)
    if (unit < minLength && part.length >= 2 * unit - 1) return 'something short that is repeated' // the last time may lack a space
    const isWoven = (): boolean =>
      [0, 1].every((which) =>
        isInRows(
          part.filter((_, i) => i % 2 === which),
          minLength,
        ),
      ) // two rows, in turns
    return isInRows(part, minLength) || isWoven() ? 'a row of letters, digits or keys' : undefined
  }

  /** A common word, or what is no better, with digits and signs around it that make no password themselves. */
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
    const isCore = core.length >= minCoreLength && core.length < whole.length && findPlain(core) !== undefined
    return isCore && isPadding([...whole.slice(0, first), ...whole.slice(last + 1)])
      ? 'something simple with digits or signs around it'
      : undefined
  }
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character)
}

/** After how many characters they come again from the first on, the last time perhaps not to the end. */
function periodOf(characters: readonly string[]): number {
  const borders = [0] // of each beginning, the longest end that is its beginning too
  for (let i = 1, border = 0; i < characters.length; i++) {
    while (border > 0 && characters[i] !== characters[border]) border = borders[border - 1] ?? 0
    if (characters[i] === characters[border]) border++
    borders.push(border)
  }
  return characters.length - (borders.at(-1) ?? 0)
}

/** Whether characters are few pieces of rows, or of one again and again, that are long on average. */
function isInRows(characters: readonly string[], minLength: number): boolean {
  let pieces = 0
  for (let at = 0; at < characters.length && pieces < minLength; at += pieceAt(characters, at)) pieces++
  return pieces < minLength && pieces * meanRowLength <= characters.length
}

/** The length of the longest piece of a row that begins here. */
function pieceAt(characters: readonly string[], start: number): number {
  const longest = (follows: (offset: number) => boolean): number => {
    let length = 1
    while (start + length < characters.length && follows(length)) length++
    return length
  }
  const alike = longest((offset) => characters[start + offset] === characters[start])
  const inRows = (rowsFrom.get(characters[start] ?? '') ?? []).map((row) =>
    longest((offset) => row[offset] === characters[start + offset]),
  )
  return Math.max(alike, ...inRows)
}
