import { equalLettersTable } from './equal-letters-table.ts'

/**
 * Letters, digits and marks that Unicode's root collation treats as equal to another text, and this
 * text. Only those that `foldName()` (`counted-login.ts`) does not make equal without a table.
 */
export const equalLetters: ReadonlyMap<string, string> = readTable(equalLettersTable)

function readTable(table: string): ReadonlyMap<string, string> {
  const lines = table.trim().split(/\n(?! )/)
  return new Map(lines.flatMap(readLine))
}

function readLine(line: string): readonly (readonly [letter: string, form: string])[] {
  const [form = '', letters = ''] = line.split('=')
  return letters
    .trim()
    .split(/\s+/)
    .map((letter) => [textOf(letter), textOf(form.trim())])
}

function textOf(hex: string): string {
  const points = hex.split('+').filter((point) => point !== '')
  return String.fromCodePoint(...points.map((point) => Number.parseInt(point, 16)))
}
