// Tests the mutants of rooms. StrykerJS would start a process for each test file
// and each mutant. This program loads the tests once (warm.ts), runs only the tests that reach a
// mutant, the fastest first, and ends at the first failure.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { findUncompiled } from './compile.ts'
import { makeMutants, root, type Mutant, type Target } from './mutants.ts'
import { documentation, textForPeople } from './texts.ts'
import { createStarter, type Cost, type Starter, type WarmProcess } from './warm.ts'

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
  readonly targets: readonly Target[]
  /**
   * The test files in stages. A mutant that survives the tests of one stage is tested in the next
   * one, so the first stage has the fast tests.
   */
  readonly stages: readonly (readonly string[])[]
  /** The file with the results of the last run. Without it, all mutants are tested. */
  readonly results?: string
  /** Called with each verdict as soon as it is known. */
  readonly onVerdict?: (verdict: Verdict) => void
  /** Called with each mutant that survives a stage. The next stage may kill it. */
  readonly onSurvivor?: (verdict: Verdict) => void
  /** Called with what the reader should know about the run. */
  readonly onNote?: (note: string) => void
}

/**
 * Returns what became of each mutant. A mutant that was killed in the last run is not tested again
 * if its line is the same. A changed test is not noticed.
 */
export async function testRooms(options: RoomOptions): Promise<readonly Verdict[]> {
  const { targets, stages, results, onVerdict = () => {} } = options
  const mutated = await makeMutants(targets)
  const known = results !== undefined ? readResults(results) : {}
  const verdicts: Verdict[] = []
  const decide = (verdict: Verdict): void => {
    verdicts.push(verdict)
    onVerdict(verdict)
    if (results !== undefined && verdicts.length % 10 === 0) writeResults(results, verdicts)
  }

  const open: Mutant[] = []
  for (const mutant of mutated.mutants) {
    const last = known[mutant.key]
    if (mutant.ignored !== undefined) decide({ mutant, fate: fateOfIgnored(mutant.ignored) })
    else if (last === undefined) open.push(mutant)
    else decide({ mutant, fate: last })
  }
  const uncompiled = open.length > 0 ? findUncompiled(open) : new Set<string>()
  for (const mutant of open) if (uncompiled.has(mutant.id)) decide({ mutant, fate: 'uncompiled' })

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
    const starter = await createStarter(folder, mutated)
    for (const files of stages) left = await testStage(starter, files, left, decide, options)
    left.forEach(decide)
  } finally {
    if (results !== undefined) writeResults(results, verdicts)
    clean()
  }
  return verdicts
}

function fateOfIgnored(reason: string): Fate {
  return reason === documentation || reason === textForPeople ? 'text' : 'explained'
}

/** The process that runs the tests of one stage, and what these tests reach. */
interface Stage {
  readonly starter: Starter
  readonly warm: WarmProcess
  readonly reaching: ReadonlyMap<string, Reaching>
  /** Continues with a new process. */
  restart(): Promise<void>
}

async function openStage(
  starter: Starter,
  files: readonly string[],
  open: readonly Verdict[],
  onNote: (note: string) => void,
): Promise<Stage> {
  const start = async (): Promise<WarmProcess> => {
    const started = await starter.start(files)
    if (!started) throw new Error(`these tests cannot be loaded together: ${files.join(' ')}`)
    return started
  }
  let warm = await start()
  return {
    starter,
    get warm() {
      return warm
    },
    reaching: await findReaching(warm, open, onNote),
    async restart() {
      warm.kill()
      warm = await start()
    },
  }
}

/** How many mutants are killed before the tests that killed them must pass without a mutant. */
const batch = 25

/** Runs the tests of some files with each mutant. Returns the mutants that survived. */
async function testStage(
  starter: Starter,
  files: readonly string[],
  open: readonly Verdict[],
  decide: (verdict: Verdict) => void,
  { onSurvivor = () => {}, onNote = () => {} }: RoomOptions,
): Promise<readonly Verdict[]> {
  if (files.length === 0 || open.length === 0) return open
  const stage = await openStage(starter, files, open, onNote)
  const survivors: Verdict[] = []
  let killed: Verdict[] = []
  const settle = async (): Promise<void> => {
    for (const verdict of await confirm(killed, stage)) decide(verdict)
    killed = []
  }

  const isStatic = ({ mutant }: Verdict): boolean =>
    stage.reaching.get(mutant.id)?.isStatic === true
  // First those that need no new process.
  for (const verdict of open.toSorted((a, b) => Number(isStatic(a)) - Number(isStatic(b)))) {
    const reaching = stage.reaching.get(verdict.mutant.id)
    const tested = reaching ? await testMutant(verdict.mutant, reaching, stage) : verdict
    if (tested.fate === 'killed') killed.push(tested)
    else if (tested.fate === 'timeout') decide(tested)
    else survivors.push(tested)
    if (tested.fate === 'survived') onSurvivor(tested)
    if (killed.length === batch) await settle()
  }
  await settle()
  stage.warm.kill()
  return survivors
}

async function testMutant(mutant: Mutant, reaching: Reaching, stage: Stage): Promise<Verdict> {
  const { ids, limitOf, hitLimits, isStatic, mustHit } = reaching
  if (isStatic) return testAlone(stage.starter, mutant, reaching)

  const answer = await stage.warm.ask({ mutant: mutant.id, ids, hitLimits }, limitOf)
  if (answer === 'ended') {
    await stage.restart()
    return testAlone(stage.starter, mutant, reaching)
  }
  if (answer.failed !== undefined) return { mutant, fate: 'killed', by: answer.failed }
  // If the code runs only once in a process, the tests did not reach the mutant again.
  if (answer.hits === 0 && mustHit) return testAlone(stage.starter, mutant, reaching)
  return { mutant, fate: 'survived' }
}

/**
 * A mutant may leave something behind, so that the tests of later mutants fail. So the tests that
 * killed mutants must pass without a mutant. If one fails, the mutants are tested again, each in a
 * new process.
 */
async function confirm(killed: readonly Verdict[], stage: Stage): Promise<readonly Verdict[]> {
  const ids = [...new Set(killed.flatMap(({ by }) => by ?? []))].filter((id) => id !== unloadable)
  const answer = await stage.warm.ask({ ids }, () => 120_000)
  if (answer !== 'ended' && answer.failed === undefined) return killed

  await stage.restart()
  const again: Verdict[] = []
  for (const verdict of killed) {
    const reaching = stage.reaching.get(verdict.mutant.id)
    again.push(reaching ? await testAlone(stage.starter, verdict.mutant, reaching) : verdict)
  }
  return again
}

/** The tests that reach a mutant, the fastest first. */
interface Reaching {
  readonly ids: readonly string[]
  /** How long a test may take with the mutant, in milliseconds. */
  readonly limitOf: (id: string) => number
  /** How often each of these tests may reach the mutant: code that loops exceeds it at once. */
  readonly hitLimits: readonly number[]
  /** Whether the mutated code also runs when the file is loaded. */
  readonly isStatic: boolean
  /** Whether the mutated code runs in the process of the tests, not only in a thread. */
  readonly mustHit: boolean
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
    const answer = await warm.ask({ ids: [id] }, () => 120_000)
    if (answer === 'ended') throw new Error(`this test does not end without a mutant: ${id}`)
    const cost = answer.costs[id] ?? { cpu: 0, elapsed: 0 }
    if (answer.failed !== undefined)
      onNote(`left out, because it fails without a mutant: ${id}\n${answer.error}`)
    else if (cost.cpu > maxTestMilliseconds)
      onNote(`left out, because it takes ${Math.round(cost.cpu / 1000)} s: ${id}`)
    else costs.set(id, cost)
  }
  const { inProcess, all } = await warm.readCoverage()
  const limitOf = (id: string): number => 3 * (costs.get(id)?.elapsed ?? 0) + 5_000
  const byCost = [...costs].toSorted(([, a], [, b]) => a.cpu - b.cpu).map(([id]) => id)
  const found = new Map<string, Reaching>()
  for (const { mutant } of mutants) {
    const { id } = mutant
    const isStatic = all.static[id] !== undefined
    const reaching = byCost.filter((test) => all.perTest[test]?.[id] !== undefined)
    // Any test may notice a value that is computed when the file is loaded.
    const others = isStatic ? byCost.filter((test) => !reaching.includes(test)) : []
    const ids = [...reaching, ...others]
    if (ids.length === 0) continue
    const mustHit = ids.some((test) => inProcess.perTest[test]?.[id] !== undefined)
    found.set(id, {
      ids,
      isStatic,
      mustHit,
      limitOf,
      hitLimits: ids.map((test) => 100 * (all.perTest[test]?.[id] ?? 0) + 10_000),
    })
  }
  return found
}

const unloadable = 'the tests cannot be loaded'

/** Tests a mutant in a new process, which starts with the mutant. */
async function testAlone(
  starter: Starter,
  mutant: Mutant,
  { ids, limitOf, hitLimits }: Reaching,
): Promise<Verdict> {
  const files = new Set(ids.map((id) => id.slice(0, id.indexOf(': '))))
  const started = await starter.start([...files], mutant.id)
  if (!started) return { mutant, fate: 'killed', by: unloadable }
  try {
    const answer = await started.ask({ mutant: mutant.id, ids, hitLimits }, limitOf)
    if (answer === 'ended') return { mutant, fate: 'timeout' }
    return { mutant, fate: answer.failed === undefined ? 'survived' : 'killed', by: answer.failed }
  } finally {
    started.kill()
  }
}

function readResults(file: string): Readonly<Record<string, Fate>> {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/**
 * Keeps the fates that need no other run, and those of mutants that this run has not tested.
 * Another run of other rooms may have written the file meanwhile.
 */
function writeResults(file: string, verdicts: readonly Verdict[]): void {
  const kept = verdicts.filter(({ fate }) => /^(?:uncompiled|killed|timeout)$/.test(fate))
  const fates = Object.fromEntries(kept.map(({ mutant, fate }) => [mutant.key, fate]))
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify({ ...readResults(file), ...fates }))
  renameSync(draft, file) // another run must not read a part of it
}
