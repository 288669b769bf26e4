// Makes the mutants of source files, and a copy of each file that contains all its mutants.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { transform } from 'esbuild'
import { isAbout, readExplanations } from './explained.ts'
import { whyIgnored, type Path } from './texts.ts'

/** The folder of the repository. */
export const root: string = join(import.meta.dirname, '../..')

export interface Mutant {
  /** The variable `__STRYKER_ACTIVE_MUTANT__` of a process turns on the mutant with this id. */
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
  /** Why this mutant is not tested. Undefined if it is tested. */
  readonly ignored: string | undefined
  /** The same in each run, even if lines are inserted elsewhere in the file. */
  readonly key: string
}

/** A file to mutate, or some lines of it. Several targets may name the same file. */
export interface Target {
  readonly file: string
  readonly lines?: Lines
}

interface Lines {
  readonly first: number
  readonly last: number
}

/** The mutated files, and for each path its code with all mutants, in JavaScript. */
export interface Mutated {
  readonly mutants: readonly Mutant[]
  readonly sources: ReadonlyMap<string, string>
}

const silent = { isDebugEnabled: () => false, debug() {}, info() {}, warn: console.warn }

export async function makeMutants(targets: readonly Target[]): Promise<Mutated> {
  const texts = new Map(targets.map(({ file }) => [file, readFileSync(join(root, file), 'utf8')]))
  const files = [...texts].map(([name, content]) => {
    const parts = targets.filter(({ file }) => file === name).map(({ lines }) => lines)
    const ranges = parts.flatMap((lines) => (lines ? [rangeOf(lines)] : []))
    return { name, content, mutate: ranges.length === parts.length ? ranges : true }
  })
  const { files: instrumented, mutants } = await new Instrumenter(silent as never).instrument(
    files,
    {
      ignorers: [{ shouldIgnore: (path) => whyIgnored(path as unknown as Path) }],
      excludedMutations: [],
      plugins: null,
    },
  )

  const sources = new Map<string, string>()
  for (const { name, content } of instrumented)
    sources.set(name, (await transform(content, { loader: 'ts', target: 'node24' })).code)

  const explanations = Map.groupBy(readExplanations(), ({ file }) => file)
  const sameKeys = new Map<string, number>()
  return {
    sources,
    mutants: mutants.map(({ id, fileName, location, mutatorName, replacement, statusReason }) => {
      const text = texts.get(fileName) ?? ''
      const start = offsetOf(text, location.start)
      const end = offsetOf(text, location.end)
      const original = text.slice(start, end)
      const lines = text.split('\n')
      const line = lines[location.start.line]?.trim()
      const explanation = explanations
        .get(fileName)
        ?.filter(({ mutators }) => mutators.includes('every') || mutators.includes(mutatorName))
        .find((each) => isAbout(each, lines, location.start.line))
      const like = [fileName, mutatorName, line, original, replacement].join('\n')
      const number = (sameKeys.get(like) ?? 0) + 1
      sameKeys.set(like, number)
      return {
        id,
        file: fileName,
        line: location.start.line + 1,
        mutator: mutatorName,
        original,
        replacement,
        text: text.slice(0, start) + replacement + text.slice(end),
        ignored: statusReason ?? explanation?.why,
        key: createHash('sha256').update(`${like}\n${number}`).digest('base64url'),
      }
    }),
  }
}

function rangeOf({ first, last }: Lines): { readonly start: Place; readonly end: Place } {
  return { start: { line: first - 1, column: 0 }, end: { line: last, column: 0 } }
}

interface Place {
  readonly line: number
  readonly column: number
}

function offsetOf(text: string, { line, column }: Place): number {
  let offset = 0
  for (let passed = 0; passed < line; passed++) offset = text.indexOf('\n', offset) + 1
  return offset + column
}
