// A process that has loaded test files, and runs their tests as often as it is asked.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { bundle } from '../bundled.ts'
import { root, type Mutated } from './mutants.ts'

/** How often each mutant was reached. */
export type Counts = Readonly<Record<string, number>>

export interface Coverage {
  /** Outside of tests: when files were loaded. */
  readonly static: Counts
  readonly perTest: Readonly<Record<string, Counts>>
}

export interface Question {
  readonly mutant?: string | undefined
  readonly ids: readonly string[]
  /** How often each test may reach the mutant. A test that reaches it more often fails. */
  readonly hitLimits?: readonly number[]
}

/** How long a test took, in milliseconds: the time of the processor, and all time. */
export interface Cost {
  readonly cpu: number
  readonly elapsed: number
}

export interface Answer {
  /** The test that failed. The tests after it did not run. */
  readonly failed?: string
  readonly error?: string
  readonly costs: Readonly<Record<string, Cost>>
  /** How often the mutant was reached in the process, not in its threads. */
  readonly hits: number
}

export interface WarmProcess {
  /** The ids of all tests. */
  readonly ids: readonly string[]
  /**
   * Runs tests until one fails. Returns 'ended' if the process has ended, or if it was killed
   * because a test took longer than `limitOf` returns, in milliseconds. Time in which the process
   * waits for a processor does not count.
   */
  ask(question: Question, limitOf: (id: string) => number): Promise<Answer | 'ended'>
  /** What was reached until now: in this process, and also in the threads and processes of tests. */
  readCoverage(): Promise<{ readonly inProcess: Coverage; readonly all: Coverage }>
  kill(): void
}

export interface Starter {
  /**
   * Starts a process and loads test files. Returns undefined if they cannot be loaded.
   * @param mutant is already active when the files are loaded
   */
  start(files: readonly string[], mutant?: string): Promise<WarmProcess | undefined>
}

const loadMilliseconds = 60_000
const loadLimit = (): number => loadMilliseconds

/** @param folder holds all files that the processes write */
export async function createStarter(folder: string, { sources }: Mutated): Promise<Starter> {
  const index: Record<string, string> = {}
  for (const [path, code] of sources) {
    const file = join(folder, `${path.replaceAll('/', '-')}.js`)
    writeFileSync(file, code)
    index[pathToFileURL(join(root, path)).href] = file
  }
  writeFileSync(join(folder, 'sources.json'), JSON.stringify(index))
  const replaced = new Map([...sources].map(([path, code]) => [join(root, path), code]))
  const preload = pathToFileURL(join(import.meta.dirname, 'preload.mjs')).href
  const NODE_OPTIONS = `${await bundle(folder, replaced)} --import=${preload}`

  return { start: (files, mutant) => startProcess({ folder, NODE_OPTIONS, files, mutant }) }
}

async function startProcess(parts: {
  readonly folder: string
  readonly NODE_OPTIONS: string
  readonly files: readonly string[]
  readonly mutant: string | undefined
}): Promise<WarmProcess | undefined> {
  const { folder, NODE_OPTIONS, files, mutant } = parts
  const own = mkdtempSync(join(folder, 'process-'))
  const counts = join(own, 'counts')
  mkdirSync(counts)
  const records = mutant === undefined ? counts : undefined
  const child = fork(join(import.meta.dirname, 'test-process.mjs'), {
    cwd: root,
    execArgv: ['--conditions=source'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A group of its own, so that the processes that a test has started end with it.
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS,
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      TMPDIR: own,
      MUTATE: JSON.stringify({ sources: join(folder, 'sources.json'), records }),
      ...(mutant !== undefined && { __STRYKER_ACTIVE_MUTANT__: mutant }),
    },
  })
  const kill = (): void => {
    endGroup(child.pid ?? 0)
    process.off('exit', kill)
    rmSync(own, { recursive: true, force: true, maxRetries: 10 })
  }
  process.on('exit', kill)
  const loaded = await ask<{ readonly ids: readonly string[] }>(child, { files }, loadLimit)
  if (loaded === 'ended') {
    kill()
    return undefined
  }
  return {
    ids: loaded.ids,
    ask: (question, limitOf) => ask<Answer>(child, question, limitOf),
    async readCoverage() {
      await delay(300) // for the last counts of ended threads
      const question = { ids: [], counts: true }
      const answer = await ask<{ readonly counts: Coverage }>(child, question, loadLimit)
      if (answer === 'ended') throw new Error('the process of the tests has ended')
      const others = readdirSync(counts).map(
        (name) => JSON.parse(readFileSync(join(counts, name), 'utf8')) as Coverage,
      )
      return { inProcess: answer.counts, all: addUp([answer.counts, ...others]) }
    },
    kill,
  }
}

/** What the process sends when it starts a test. */
interface Started {
  readonly started: string
}

/** Sends a message to the process, and returns its answer. The process decides the type. */
async function ask<Result extends object>(
  child: ChildProcess,
  question: object,
  limitOf: (id: string) => number,
): Promise<Result | 'ended'> {
  if (!child.connected) return 'ended'
  const budget = { left: limitOf('') }
  const answer = new Promise<Result | 'ended'>((resolve) => {
    child.on('message', (message: Started | Result) => {
      if ('started' in message) budget.left = limitOf(message.started)
      else resolve(message)
    })
    child.once('disconnect', () => resolve('ended'))
  })
  const done = new AbortController()
  child.send(question)
  void killAfter(child, budget, done.signal)
  try {
    return await answer
  } finally {
    done.abort()
    child.removeAllListeners('message').removeAllListeners('disconnect')
  }
}

/**
 * Kills the process when it has run, or waited for anything except a processor, for as many
 * milliseconds as are left.
 */
async function killAfter(
  { pid = 0 }: ChildProcess,
  budget: { left: number },
  signal: AbortSignal,
): Promise<void> {
  const period = 500
  let before = readWaits(pid)
  while (budget.left > 0) {
    await delay(period, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const now = readWaits(pid)
    const waits = Array.from(now, ([thread, waited]) => waited - (before.get(thread) ?? waited))
    budget.left -= Math.max(0, period - Math.max(0, ...waits))
    before = now
  }
  endGroup(pid)
}

/**
 * Returns for how long each thread of a process and of its children has waited for a processor, in
 * milliseconds. Empty if the process has ended, or if this is not Linux: then all time counts.
 */
function readWaits(pid: number): ReadonlyMap<string, number> {
  const waits = new Map<string, number>()
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`
      waits.set(thread, Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[1]) / 1e6)
      for (const child of readFileSync(`${folder}/children`, 'utf8').split(' ').filter(Boolean))
        for (const [of, waited] of readWaits(Number(child))) waits.set(of, waited)
    }
  } catch {
    // The process has ended, or this is not Linux.
  }
  return waits
}

function endGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL')
  } catch {
    // All processes of the group have ended.
  }
}

function addUp(all: readonly Coverage[]): Coverage {
  const outside: Record<string, number> = {}
  const perTest: Record<string, Record<string, number>> = {}
  const add = (sum: Record<string, number>, counts: Counts): void => {
    for (const [id, count] of Object.entries(counts)) sum[id] = (sum[id] ?? 0) + count
  }
  for (const coverage of all) {
    add(outside, coverage.static)
    for (const [test, counts] of Object.entries(coverage.perTest))
      add((perTest[test] ??= {}), counts)
  }
  return { static: outside, perTest }
}
