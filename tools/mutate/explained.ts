// Reads explained.txt: the mutants that cannot matter, each with the reason. A file, then the line
// of the mutant as it is in the file (`*`: any), then the kinds of mutants (`every`) and why. Where
// one line is not enough to tell places apart, the lines after it follow.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Explanation {
  readonly file: string
  /** The line of the mutant, and perhaps the lines after it, without indentation. */
  readonly code: readonly string[]
  readonly mutators: readonly string[]
  readonly why: string
}

/** @throws {Error} if a line has another indentation than 0, 2 or 4, or stands in the wrong place */
export function readExplanations(): readonly Explanation[] {
  const text = readFileSync(join(import.meta.dirname, 'explained.txt'), 'utf8')
  const found: Explanation[] = []
  let file = ''
  let code: string[] = []
  for (const line of text.split('\n').filter(Boolean)) {
    const [, indent = '', rest = ''] = /^( *)(.*)$/.exec(line) ?? []
    const [, mutators = '', why = ''] = /^([\w, ]+?): (.*)$/.exec(rest) ?? []
    if (indent.length === 0) file = rest
    else if (indent.length === 2) code.push(rest)
    else if (indent.length === 4 && mutators !== '' && code.length > 0 && file !== '') {
      found.push({ file, code, mutators: mutators.split(', '), why })
      code = []
    } else throw new Error(`explained.txt: this line is not as the others: ${line}`)
  }
  return found
}

/** Whether an explanation is about a line of its file. @param number counts from 0 */
export function isAbout({ code }: Explanation, lines: readonly string[], number: number): boolean {
  return code[0] === '*' || code.every((part, i) => part === lines[number + i]?.trim())
}
