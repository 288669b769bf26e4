// Makes the mutants of source files, and a copy of each file that contains all its mutants.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { transform } from 'esbuild'
import { isAbout, readExplanations } from './explained.ts'
import { whyIgnored, type Path } from './texts.ts'

/** The folder of the repository. */
export const root: string = join(import.meta.dirname, '../..')

export interface Mutant {
  readonly id: string
  /** The path of the file in the repository. */
  readonly file: string
  readonly line: number
  /** The kind of change, such as `EqualityOperator`. */
  readonly mutator: string
  readonly original: string
  readonly replacement: string
  /** The whole text of the file with this mutant. */
  readonly text: string
  /** Whether it only changes a text for people, or is explained. Undefined if it is tested. */
  readonly ignored: 'text' | 'explained' | undefined
}

/** The mutated files, and for each path its code with all mutants, in JavaScript. */
export interface Mutated {
  readonly mutants: readonly Mutant[]
  readonly sources: ReadonlyMap<string, string>
}

const silent = { isDebugEnabled: () => false, debug() {}, info() {}, warn: console.warn }

export async function makeMutants(paths: readonly string[]): Promise<Mutated> {
  const texts = new Map(paths.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const { files, mutants } = await new Instrumenter(silent as never).instrument(
    [...texts].map(([name, content]) => ({ name, content, mutate: true })),
    {
      ignorers: [{ shouldIgnore: (path) => whyIgnored(path as unknown as Path) }],
      excludedMutations: [],
      plugins: null,
    },
  )

  const sources = new Map<string, string>()
  for (const { name, content } of files)
    sources.set(name, (await transform(content, { loader: 'ts', target: 'node24' })).code)

  const explanations = Map.groupBy(readExplanations(), ({ file }) => file)
  return {
    sources,
    mutants: mutants.map(({ id, fileName, location, mutatorName, replacement, statusReason }) => {
      const text = texts.get(fileName) ?? ''
      const lines = text.split('\n')
      const [start, end] = [offsetOf(lines, location.start), offsetOf(lines, location.end)]
      const isExplained = explanations
        .get(fileName)
        ?.filter(({ mutators }) => mutators.includes('every') || mutators.includes(mutatorName))
        .some((each) => isAbout(each, lines, location.start.line))
      return {
        id,
        file: fileName,
        line: location.start.line + 1,
        mutator: mutatorName,
        original: text.slice(start, end),
        replacement,
        text: text.slice(0, start) + replacement + text.slice(end),
        ignored: statusReason !== undefined ? 'text' : isExplained ? 'explained' : undefined,
      }
    }),
  }
}

function offsetOf(
  lines: readonly string[],
  { line, column }: { readonly line: number; readonly column: number },
): number {
  return lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, column)
}
