// A process that has loaded test files, and runs their tests as often as it is asked.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { bundle } from '../bundled.ts'
import { root, type Mutated } from './mutants.ts'

/** How often each mutant was reached. */
type Counts = Readonly<Record<string, number>>

interface Coverage {
  /** Outside of tests: when files were loaded. */
  readonly static: Counts
  readonly perTest: Readonly<Record<string, Counts>>
}

interface Question {
  readonly mutant?: string
  readonly ids: readonly string[]
  /** How many milliseconds each test may take. Default: two minutes. */
  readonly limits?: readonly number[]
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
   * because a test took too long.
   */
  ask(question: Question): Promise<Answer | 'ended'>
  /** What was reached until now, also in the threads and processes of tests. */
  readCoverage(): Promise<Coverage>
  kill(): void
}

/**
 * Starts a process and loads test files. Returns undefined if they cannot be loaded. The mutant is
 * already active when the files are loaded.
 */
export type Start = (files: readonly string[], mutant?: string) => Promise<WarmProcess | undefined>

/** @param folder holds all files that the processes write */
export async function createStarter(folder: string, { sources }: Mutated): Promise<Start> {
  const index: Record<string, string> = {}
  for (const [path, code] of sources) {
    const file = join(folder, `${path.replaceAll('/', '-')}.js`)
    writeFileSync(file, code)
    index[pathToFileURL(join(root, path)).href] = file
  }
  writeFileSync(join(folder, 'sources.json'), JSON.stringify(index))
  const replaced = new Map([...sources].map(([path, code]) => [join(root, path), code]))
  const bundles = await bundle(folder, replaced)
  return (files, mutant) => startProcess({ folder, bundles }, files, mutant)
}

async function startProcess(
  { folder, bundles }: { readonly folder: string; readonly bundles: string },
  ...[files, mutant]: Parameters<Start>
): Promise<WarmProcess | undefined> {
  const own = mkdtempSync(join(folder, 'process-'))
  const counts = join(own, 'counts')
  mkdirSync(counts)
  const records = mutant === undefined ? counts : undefined
  const config = JSON.stringify({ sources: join(folder, 'sources.json'), records, mutant })
  const preload = pathToFileURL(join(import.meta.dirname, 'preload.mjs')).href
  const child = fork(join(import.meta.dirname, 'test-process.mjs'), {
    cwd: root,
    execArgv: ['--conditions=source'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A group of its own, so that the processes that a test has started end with it.
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS: `${bundles} --import=${preload}?${encodeURIComponent(config)}`,
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      TMPDIR: own,
    },
  })
  const kill = (): void => {
    endGroup(child)
    process.off('exit', kill)
    rmSync(own, { recursive: true, force: true, maxRetries: 10 })
  }
  process.on('exit', kill)
  const loaded = await ask<{ readonly ids: readonly string[] }>(child, { files })
  if (loaded === 'ended') {
    kill()
    return undefined
  }
  return {
    ids: loaded.ids,
    ask: (question) => ask<Answer>(child, question),
    async readCoverage() {
      await delay(300) // for the last counts of ended threads
      const answer = await ask<{ readonly counts: Coverage }>(child, { ids: [], counts: true })
      if (answer === 'ended') throw new Error('the process of the tests has ended')
      const others = readdirSync(counts).map((name) => readFileSync(join(counts, name), 'utf8'))
      return addUp([answer.counts, ...others.map((text) => JSON.parse(text) as Coverage)])
    },
    kill,
  }
}

const patienceMilliseconds = 120_000

/** Sends a message to the process, and returns its answer. The process decides the type. */
async function ask<Result extends object>(
  child: ChildProcess,
  question: Partial<Question> & { readonly files?: readonly string[]; readonly counts?: true },
): Promise<Result | 'ended'> {
  if (!child.connected) return 'ended'
  const { ids = [], limits = [] } = question
  const end = (): void => endGroup(child)
  let timer = setTimeout(end, patienceMilliseconds)
  const answer = new Promise<Result | 'ended'>((resolve) => {
    child.on('message', (message: { readonly started: string } | Result) => {
      if (!('started' in message)) return resolve(message)
      clearTimeout(timer)
      timer = setTimeout(end, limits[ids.indexOf(message.started)] ?? patienceMilliseconds)
    })
    child.once('disconnect', () => resolve('ended'))
  })
  child.send(question)
  try {
    return await answer
  } finally {
    clearTimeout(timer)
    child.removeAllListeners('message').removeAllListeners('disconnect')
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All processes of the group have ended.
  }
}

function addUp(all: readonly Coverage[]): Coverage {
  const sum = { static: {}, perTest: {} as Record<string, Record<string, number>> }
  const add = (to: Record<string, number>, counts: Counts): void => {
    for (const [id, count] of Object.entries(counts)) to[id] = (to[id] ?? 0) + count
  }
  for (const coverage of all) {
    add(sum.static, coverage.static)
    for (const [test, counts] of Object.entries(coverage.perTest))
      add((sum.perTest[test] ??= {}), counts)
  }
  return sum
}
