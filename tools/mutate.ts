// Changes the source in small ways and runs the tests: a change that no test notices is a rule that nobody guards.
//
//   npm run mutate                                    all rooms
//   npm run mutate -- keystile/token keystile/guard   these rooms
//   npm run mutate -- packages/keystile/src/token/jws.ts     this file
//   npm run mutate -- --postgres …                    the flows on PostgreSQL too
//   npm run mutate -- --explained …                   also what mutants.ts explains, to see whether it is still so
//
// It works on copies in the temporary folder, one for each core, and never touches the tree. It fails when a change
// survives that mutants.ts does not explain, or when an explanation fits no change or one that the tests notice.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { howToGetPostgres, startPostgres } from '../packages/server/test-support/postgres.ts'
import { explained, rooms, type Explanation, type MutatedRoom } from './mutants.ts'
import { copyTree, type Copy } from './mutate-copies.ts'
import { applyMutant, mutantsOf, type Mutant } from './mutate-source.ts'

/** A mutant of a file, and what became of it. */
export interface Result extends Mutant {
  readonly file: string
  readonly outcome: 'killed' | 'survived' | 'explained'
  /** Killed because the tests did not end in time: a machine that is too busy looks the same. */
  readonly hung: boolean
  readonly seconds: number
}

export interface MutationOptions {
  readonly root: string
  readonly explained: readonly Explanation[]
  readonly runExplained?: boolean
  readonly workers?: number
  /** However fast the tests are when nothing is changed, they may take this long. Default: 15. */
  readonly leastTimeoutSeconds?: number
  /** What the tests find in their environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Called for each result as it comes. */
  onResult?(result: Result): void
}

/** A mutant whose tests take this many times longer than they took unchanged, and a while more, hangs. */
const patience = 5

/**
 * Runs the mutants of some files against their tests, several at once.
 *
 * @throws {Error} when a test fails though nothing was changed
 */
export async function runMutants(
  files: readonly { readonly file: string; readonly stages: readonly (readonly string[])[] }[],
  options: MutationOptions,
): Promise<readonly Result[]> {
  const copies = Array.from({ length: options.workers ?? availableParallelism() }, () =>
    copyTree(options.root, options.env ?? {}),
  )
  try {
    const timeouts = await measure(
      files.flatMap(({ stages }) => stages),
      copies[0]!,
      options.leastTimeoutSeconds ?? 15,
    )
    const jobs = files.flatMap(({ file, stages }) => {
      const source = readFileSync(join(options.root, file), 'utf8')
      return mutantsOf(source).map((mutant) => ({ file, stages, source, mutant }))
    })
    const queue = [...jobs.entries()]
    const results: Result[] = []
    const work = async (copy: Copy): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [index, { file, stages, source, mutant }] = next
        const startedAt = performance.now()
        const isExplained = options.explained.some((explanation) => explains(explanation, file, mutant))
        let outcome: Result['outcome'] = isExplained ? 'explained' : 'survived'
        let hung = false
        if (!isExplained || options.runExplained) {
          copy.write(file, applyMutant(source, mutant))
          for (const stage of stages) {
            const tested = await copy.test(stage, timeouts.get(nameOf(stage))!)
            if (tested === 'passed') continue
            outcome = 'killed'
            hung = tested === 'timed out'
            break
          }
          copy.write(file, source)
        }
        const result = { ...mutant, file, outcome, hung, seconds: (performance.now() - startedAt) / 1000 }
        results[index] = result
        options.onResult?.(result)
      }
    }
    await Promise.all(copies.map(work))
    return results
  } finally {
    for (const copy of copies) copy.remove()
  }
}

/** Seconds that each stage may take, from what it takes when nothing is changed. */
async function measure(
  stages: readonly (readonly string[])[],
  copy: Copy,
  leastTimeoutSeconds: number,
): Promise<ReadonlyMap<string, number>> {
  const timeouts = new Map<string, number>()
  for (const stage of stages) {
    if (timeouts.has(nameOf(stage))) continue
    const startedAt = performance.now()
    const outcome = await copy.test(stage, 600)
    if (outcome !== 'passed') throw new Error(`unchanged, these tests have ${outcome}: ${stage.join(' ')}`)
    const seconds = (performance.now() - startedAt) / 1000
    timeouts.set(nameOf(stage), leastTimeoutSeconds + patience * seconds)
  }
  return timeouts
}

function nameOf(stage: readonly string[]): string {
  return stage.join(' ')
}

export function explains(explanation: Explanation, file: string, { text, mutation }: Mutant): boolean {
  return (
    explanation.file === file &&
    explanation.line === text &&
    (explanation.mutation === undefined || explanation.mutation === mutation)
  )
}

/** The code of commands, which runs in tests only as a process of its own: too slow for a mutant each. */
const commandCode = /\/cli(?:-\w+)?\.ts$/

/** The files of a room, each with the tests to run: its own, those beside it, and those further off. */
export function filesOf(
  room: MutatedRoom,
  root: string,
): readonly { readonly file: string; readonly stages: readonly (readonly string[])[] }[] {
  const found = (pattern: string): readonly string[] =>
    globSync(pattern, { cwd: root })
      .map((file) => file.replaceAll('\\', '/'))
      .toSorted()
  const besides = found(`${room.folder}/**/*.test.ts`)
  return (room.files?.map((file) => `${room.folder}/${file}`) ?? found(`${room.folder}/**/*.ts`))
    .filter((file) => !file.endsWith('.test.ts') && !commandCode.test(file))
    .map((file) => {
      const own = file.replace(/\.ts$/, '.test.ts')
      const stages = [existsSync(join(root, own)) ? [own] : [], besides.filter((test) => test !== own), ...room.tests]
      return { file, stages: stages.filter((stage) => stage.length > 0) }
    })
}

/** Explanations whose changes have run, and of which the tests notice every one: they explain nothing. */
export function findNoticedExplanations(
  explanations: readonly Explanation[],
  results: readonly Result[],
): readonly Explanation[] {
  return explanations.filter((explanation) => {
    const fitting = results.filter((result) => explains(explanation, result.file, result))
    return fitting.length > 0 && fitting.every(({ outcome }) => outcome === 'killed')
  })
}

/** Explanations for these files that fit no mutant. */
export function findIdleExplanations(
  explanations: readonly Explanation[],
  results: readonly Result[],
  files: readonly string[],
): readonly Explanation[] {
  return explanations.filter(
    (explanation) =>
      files.includes(explanation.file) && !results.some((result) => explains(explanation, result.file, result)),
  )
}

async function main(args: readonly string[]): Promise<number> {
  const root = join(import.meta.dirname, '..')
  const wanted = args.filter((arg) => arg !== '--postgres' && arg !== '--explained')
  const chosen = Object.entries(rooms).flatMap(([name, room]) => {
    const files = filesOf(room, root)
    const some =
      wanted.length === 0 || wanted.includes(name) ? files : files.filter(({ file }) => wanted.includes(file))
    return some.length > 0 ? [{ name, files: some }] : []
  })
  const known = new Set(chosen.flatMap(({ name, files }) => [name, ...files.map(({ file }) => file)]))
  const unknown = wanted.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    console.error(`There is no room or file ${unknown.join(', ')}. Rooms: ${Object.keys(rooms).join(' ')}`)
    return 1
  }
  const postgres = args.includes('--postgres') ? await startPostgres() : undefined
  if (args.includes('--postgres') && !postgres) {
    console.error(`No PostgreSQL: ${howToGetPostgres}`)
    return 1
  }
  const options: MutationOptions = {
    root,
    explained,
    runExplained: args.includes('--explained'),
    env: postgres ? { KEYSTILE_TEST_DATABASE_URL: postgres.url } : {},
    onResult({ file, line, text, mutation, outcome }) {
      if (outcome === 'survived') console.log(`${file}:${line}: ${mutation}\n    ${text}`)
    },
  }
  let failed = false
  try {
    for (const { name, files } of chosen) {
      const startedAt = performance.now()
      const results = await runMutants(files, options).catch((error: Error) =>
        console.error(`${name}: ${error.message}`),
      )
      if (!results) failed = true
      if (!results) continue
      const idle = findIdleExplanations(
        explained,
        results,
        files.map(({ file }) => file),
      )
      for (const { file, line, mutation } of idle) {
        console.log(`${file}: an explanation fits no mutant: ${mutation ?? 'any'}\n    ${line}`)
      }
      const noticed = findNoticedExplanations(explained, results)
      for (const { file, line, mutation } of noticed) {
        console.log(`${file}: what is explained is noticed: ${mutation ?? 'any'}\n    ${line}`)
      }
      const count = (outcome: Result['outcome']): number =>
        results.filter((result) => result.outcome === outcome).length
      const seconds = (performance.now() - startedAt) / 1000
      console.log(
        `${name}: ${results.length} mutants, ${count('killed')} killed (${results.filter(({ hung }) => hung).length} by ` +
          `hanging), ${count('explained')} explained, ` +
          `${count('survived')} survived, ${seconds.toFixed(0)} s`,
      )
      failed ||= count('survived') > 0 || idle.length > 0 || noticed.length > 0 || results.length === 0
    }
  } finally {
    await postgres?.stop()
  }
  return failed ? 1 : 0
}

if (import.meta.main) {
  // Interrupted, it leaves no copies and no tests behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  process.exitCode = await main(process.argv.slice(2))
}
