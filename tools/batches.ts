// Lets test files share a process. A process of its own costs a file more than most tests: it loads
// the server again, and V8 compiles only functions that this process has called often.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The test support that closes what it shares after all files of a process. */
const support = 'packages/server/test-support/keystile.ts'

interface Batches {
  /** How the paths of the files begin. The first entry that fits counts. */
  readonly start: string
  /** How many files share a process. */
  readonly size: number
  /** What a process loads before its files. */
  readonly first?: string
}

const batches: readonly Batches[] = [
  { start: 'packages/keystile/src/', size: 20 },
  // Without the support, which changes the intervals that these files test.
  { start: 'packages/server/src/storage/', size: 9 },
  { start: 'packages/server/src/', size: 18, first: support },
  { start: 'test/adapters/', size: 7, first: support },
  { start: 'test/flows/', size: 7, first: support },
]

/** Files that measure the process that they run in. */
const measuring = new Set(['packages/server/src/features/operations/metrics/exposition.test.ts'])

/**
 * Whether a file runs alone. If it sets the time or replaces a global function, it would break the
 * connections of other files.
 */
function runsAlone(file: string, root: string): boolean {
  return (
    measuring.has(file) ||
    /mock\.timers|mock\.method\(globalThis/.test(readFileSync(join(root, file), 'utf8'))
  )
}

/**
 * Writes programs that each import several test files, one suite a file. Returns these programs,
 * and the files that run alone.
 */
export function writeBatches(
  testFiles: readonly string[],
  { root, temporary }: { readonly root: string; readonly temporary: string },
): readonly string[] {
  const folder = join(temporary, 'batches')
  mkdirSync(folder)
  const rest = new Set(testFiles.toSorted())
  const programs = batches.flatMap(({ start, size, first }) => {
    const files = [...rest].filter((file) => file.startsWith(start) && !runsAlone(file, root))
    for (const file of files) rest.delete(file)
    const count = Math.ceil(files.length / size)
    return Array.from({ length: count }, (_, program) => {
      const path = join(folder, `${start.replaceAll('/', '-')}${program}.test.ts`)
      // Neighbours take about the same time, so they go into different programs.
      const imported = files.filter((_, index) => index % count === program)
      writeFileSync(path, programOf(imported, first, root))
      return path
    })
  })
  return [...programs, ...rest]
}

function programOf(files: readonly string[], first: string | undefined, root: string): string {
  const urlOf = (file: string): string => pathToFileURL(join(root, file)).href
  return [
    "import { describe } from 'node:test'",
    first ? `import '${urlOf(first)}'` : '',
    ...files.map((file) => `describe('${file}', () => import('${urlOf(file)}'))`),
    '',
  ].join('\n')
}
