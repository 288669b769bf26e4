// Tests the mutants of rooms. StrykerJS would start a process for each test file and each mutant.
// This program loads the tests once (warm.ts), runs only the tests that reach a mutant, the fastest
// first, and ends at the first failure.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findUncompiled } from './compile.ts'
import { makeMutants, root, type Mutant } from './mutants.ts'
import { createStarter, type Answer, type Cost, type Start, type WarmProcess } from './warm.ts'

/**
 * What became of a mutant. `text`: it only changes a text for people. `timeout`: a test never ends
 * with it, so it counts as killed. `untested`: no test reaches it.
 */
export type Fate =
  | 'explained'
  | 'text'
  | 'uncompiled'
  | 'killed'
  | 'timeout'
  | 'survived'
  | 'untested'

export interface Verdict {
  readonly mutant: Mutant
  readonly fate: Fate
  /** The test that failed with the mutant. */
  readonly by?: string | undefined
}

export interface RoomOptions {
  /** The files to mutate. */
  readonly files: readonly string[]
  /**
   * The test files in stages. A mutant that survives the tests of one stage is tested in the next
   * one, so the first stage has the fast tests.
   */
  readonly stages: readonly (readonly string[])[]
  /** Called with each verdict as soon as it is known. */
  readonly onVerdict: (verdict: Verdict) => void
  /** Called with what the reader should know about the run. */
  readonly onNote: (note: string) => void
}

/** Finds out what becomes of each mutant. */
export async function testRooms(options: RoomOptions): Promise<void> {
  const { onVerdict, onNote } = options
  const mutated = await makeMutants(options.files)
  for (const mutant of mutated.mutants)
    if (mutant.ignored) onVerdict({ mutant, fate: mutant.ignored })
  const open = mutated.mutants.filter(({ ignored }) => ignored === undefined)
  const uncompiled = findUncompiled(open)
  for (const mutant of open)
    if (uncompiled.has(mutant.id)) onVerdict({ mutant, fate: 'uncompiled' })

  let left: readonly Verdict[] = open
    .filter(({ id }) => !uncompiled.has(id))
    .map((mutant) => ({ mutant, fate: 'untested' }))
  mkdirSync(join(root, '.stryker'), { recursive: true })
  const folder = mkdtempSync(join(root, '.stryker/rooms-'))
  const clean = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  // After a signal, `exit` also kills the processes of the tests.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  process.once('exit', clean)
  try {
    const start = await createStarter(folder, mutated)
    const done = new Set<string>()
    for (const stage of options.stages) {
      const files = stage.filter((file) => !done.has(file))
      if (files.length > 0 && left.length > 0)
        left = await testStage(left, { start, files, onNote, onVerdict })
      for (const file of files) done.add(file)
    }
    left.forEach(onVerdict)
  } finally {
    clean()
  }
}

interface StageParts extends Pick<RoomOptions, 'files' | 'onNote' | 'onVerdict'> {
  readonly start: Start
}

/** How many mutants are killed before the tests that killed them must pass without a mutant. */
const batch = 25

/** Runs the tests of some files with each mutant. Returns the mutants that survived. */
async function testStage(
  open: readonly Verdict[],
  { start, files, onNote, onVerdict }: StageParts,
): Promise<readonly Verdict[]> {
  const load = async (): Promise<WarmProcess> => {
    const started = await start(files)
    if (!started) throw new Error(`these tests cannot be loaded together: ${files.join(' ')}`)
    return started
  }
  let warm = await load()
  const restart = async (): Promise<void> => {
    warm.kill()
    warm = await load()
  }
  const found = await findReaching(warm, open, onNote)
  const survivors: Verdict[] = []
  let killed: Verdict[] = []
  const settle = async (): Promise<void> => {
    const areReal = await passWithoutMutant(killed, warm)
    if (!areReal) await restart()
    for (const verdict of killed) {
      const reaching = areReal ? undefined : found.get(verdict.mutant.id)
      onVerdict(reaching ? await testAlone(start, verdict.mutant, reaching) : verdict)
    }
    killed = []
  }

  const test = async (mutant: Mutant, reaching: Reaching): Promise<Verdict> => {
    if (!reaching.isStatic) {
      const answer = await warm.ask({ mutant: mutant.id, ...reaching })
      if (answer === 'ended') await restart()
      // If the code runs only once in a process, the tests did not reach the mutant again.
      else if (answer.failed !== undefined || answer.hits > 0) return verdictOf(mutant, answer)
    }
    return testAlone(start, mutant, reaching)
  }

  const isStatic = ({ mutant }: Verdict): number => Number(found.get(mutant.id)?.isStatic ?? 0)
  // First those that need no new process.
  for (const verdict of open.toSorted((a, b) => isStatic(a) - isStatic(b))) {
    const reaching = found.get(verdict.mutant.id)
    const tested = reaching ? await test(verdict.mutant, reaching) : verdict
    if (tested.fate === 'killed') killed.push(tested)
    else if (tested.fate === 'timeout') onVerdict(tested)
    else survivors.push(tested)
    if (killed.length === batch) await settle()
  }
  await settle()
  warm.kill()
  return survivors
}

const unloadable = 'the tests cannot be loaded'

/** Tests a mutant in a new process, which starts with the mutant. */
async function testAlone(start: Start, mutant: Mutant, reaching: Reaching): Promise<Verdict> {
  const files = new Set(reaching.ids.map((id) => id.slice(0, id.indexOf(': '))))
  const started = await start([...files], mutant.id)
  if (!started) return { mutant, fate: 'killed', by: unloadable }
  const answer = await started.ask({ mutant: mutant.id, ...reaching })
  started.kill()
  return answer === 'ended' ? { mutant, fate: 'timeout' } : verdictOf(mutant, answer)
}

function verdictOf(mutant: Mutant, { failed }: Answer): Verdict {
  return { mutant, fate: failed === undefined ? 'survived' : 'killed', by: failed }
}

/**
 * Whether the tests that killed mutants pass without a mutant. A mutant may leave something behind,
 * so that the tests of later mutants fail.
 */
async function passWithoutMutant(killed: readonly Verdict[], warm: WarmProcess): Promise<boolean> {
  const by = new Set(killed.flatMap(({ by }) => by ?? []))
  by.delete(unloadable)
  const answer = await warm.ask({ ids: [...by] })
  return answer !== 'ended' && answer.failed === undefined
}

/** The tests that reach a mutant, the fastest first. */
interface Reaching {
  readonly ids: readonly string[]
  /** How long each test may take with the mutant, in milliseconds. */
  readonly limits: readonly number[]
  /** How often each test may reach the mutant: code that loops exceeds it at once. */
  readonly hitLimits: readonly number[]
  /** Whether the mutated code also runs when the file is loaded. */
  readonly isStatic: boolean
}

/** Tests that take longer are not run with mutants. They take longer than without counting. */
const maxTestMilliseconds = 3_000

/** Runs all tests once without a mutant, and maps each mutant to the tests that reach it. */
async function findReaching(
  warm: WarmProcess,
  mutants: readonly Verdict[],
  onNote: (note: string) => void,
): Promise<ReadonlyMap<string, Reaching>> {
  const costs = new Map<string, Cost>()
  for (const id of warm.ids) {
    const answer = await warm.ask({ ids: [id] })
    if (answer === 'ended') throw new Error(`this test does not end without a mutant: ${id}`)
    const cost = answer.costs[id] ?? { cpu: 0, elapsed: 0 }
    if (answer.failed !== undefined)
      onNote(`left out, because it fails without a mutant: ${id}\n${answer.error}`)
    else if (cost.cpu > maxTestMilliseconds)
      onNote(`left out, because it takes ${Math.round(cost.cpu / 1000)} s: ${id}`)
    else costs.set(id, cost)
  }
  const coverage = await warm.readCoverage()
  const byCost = [...costs].toSorted(([, a], [, b]) => a.cpu - b.cpu).map(([id]) => id)
  const found = new Map<string, Reaching>()
  for (const { mutant } of mutants) {
    const { id } = mutant
    const isStatic = coverage.static[id] !== undefined
    const reaching = byCost.filter((test) => coverage.perTest[test]?.[id] !== undefined)
    // Any test may notice a value that is computed when the file is loaded.
    const others = isStatic ? byCost.filter((test) => !reaching.includes(test)) : []
    const ids = [...reaching, ...others]
    if (ids.length === 0) continue
    found.set(id, {
      ids,
      isStatic,
      limits: ids.map((test) => 10 * (costs.get(test)?.elapsed ?? 0) + 10_000),
      hitLimits: ids.map((test) => 100 * (coverage.perTest[test]?.[id] ?? 0) + 10_000),
    })
  }
  return found
}
