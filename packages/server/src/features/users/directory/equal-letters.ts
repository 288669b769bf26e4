import { equalLettersTable } from './equal-letters-table.ts'

/**
 * Letters, digits and marks that Unicode's root collation treats as equal to another text, and this
 * text. Only those that `foldName()` (`counted-login.ts`) does not make equal
 * without a table.
 */
export const equalLetters: ReadonlyMap<string, string> = readTable(equalLettersTable)

function readTable(table: string): ReadonlyMap<string, string> {
  let form = ''
  const entries = table
    .trim()
    .split(/\s/)
    .map((word): [string, string] => {
      const [letter = '', ofForm] = word.split('=').toReversed()
      // A word without a form has the form of the word before it.
      if (ofForm !== undefined) form = textOf(ofForm)
      return [textOf(letter), form]
    })
  return new Map(entries)
}

function textOf(hex: string): string {
  const points = hex.split('+').filter((point) => point !== '')
  return String.fromCodePoint(...points.map((point) => Number.parseInt(point, 16)))
}
