// Each process and each thread of a test loads this file first: warm.ts says so in NODE_OPTIONS. It
// loads the mutated source in place of the original, and counts how often each test reaches each
// mutant, also in the threads and processes that the test starts.
import children from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { registerHooks, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import threads from 'node:worker_threads'

const { sources, records } = JSON.parse(process.env.MUTATE)
const name = 'MUTATE_TEST'
/** The id of the test that has started this process or this thread. */
const startedBy = threads.isMainThread ? process.env[name] : threads.getEnvironmentData(name)
/** Whether this is the process that runs the tests: test-process.mjs. */
const runsTests = threads.isMainThread && startedBy === undefined

const tests = new URL('test-process.mjs', import.meta.url).href
const mutated = new Map(Object.entries(JSON.parse(readFileSync(sources, 'utf8'))))
registerHooks({
  resolve(specifier, context, next) {
    if (!runsTests || specifier !== 'node:test' || context.parentURL === tests)
      return next(specifier, context)
    return { url: tests, shortCircuit: true }
  },
  load(url, context, next) {
    const file = mutated.get(url)
    if (file === undefined) return next(url, context)
    return { format: 'module', source: readFileSync(file, 'utf8'), shortCircuit: true }
  },
})

const counted = { static: {}, perTest: {} }
// The mutated code reads this object. If the active mutant is reached too often, the code loops: it
// then throws.
globalThis.__stryker__ = {
  activeMutant: process.env.__STRYKER_ACTIVE_MUTANT__,
  mutantCoverage: counted,
  currentTestId: startedBy,
  hitCount: 0,
  hitLimit: Number(process.env.MUTATE_HITS ?? Infinity),
}

passOnTest()
if (records && !runsTests) record()

/**
 * The variables that this file reads. A test may start a process without them. Their names do not
 * begin with KEYSTILE_, because `keystile` refuses unknown variables with this prefix.
 */
function ownVariables() {
  const names = ['MUTATE', 'MUTATE_HITS', '__STRYKER_ACTIVE_MUTANT__']
  return Object.fromEntries(Object.entries(process.env).filter(([each]) => names.includes(each)))
}

/** Tells each thread and each process which test has started it. */
function passOnTest() {
  const current = () => globalThis.__stryker__.currentTestId
  threads.Worker = class extends threads.Worker {
    constructor(...given) {
      threads.setEnvironmentData(name, current())
      super(...given)
    }
  }
  for (const start of ['spawn', 'fork', 'execFile', 'spawnSync', 'execFileSync']) {
    const original = children[start]
    const changed = (program, ...given) => {
      const at = given.findIndex((value) => value?.constructor === Object)
      const { env = process.env, ...options } = given[at] ?? {}
      const own = { ...options, env: { ...ownVariables(), ...env, [name]: current() ?? '' } }
      given.splice(at >= 0 ? at : Array.isArray(given[0]) ? 1 : 0, at >= 0 ? 1 : 0, own)
      return original(program, ...given)
    }
    children[start] = Object.defineProperties(changed, Object.getOwnPropertyDescriptors(original))
  }
  syncBuiltinESMExports()
}

function record() {
  const file = join(records, `${process.pid}-${threads.threadId}.json`)
  const write = () => writeFileSync(file, JSON.stringify(counted))
  // A thread that is terminated gets no `exit` event.
  setInterval(write, 100).unref()
  process.on('exit', write)
}
