// Each process and each thread of a test loads this file first: warm.ts says so in NODE_OPTIONS. It
// loads the mutated source in place of the original, and counts how often each test reaches each
// mutant, also in the threads and processes that the test starts.
import { readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'

// A test may start a process with few variables, but NODE_OPTIONS is among them. `test` is the id of
// the test that has started this process or this thread.
const own = /(preload\.mjs\?)(\S+)/
const [, , text] = own.exec(`${process.env.NODE_OPTIONS} ${import.meta.url}`)
const config = JSON.parse(decodeURIComponent(text))
const { sources, records, mutant, test, hits } = config
/** Whether this is the process that runs the tests: test-process.mjs. */
const runsTests = isMainThread && test === undefined

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
  activeMutant: mutant,
  mutantCoverage: counted,
  currentTestId: test,
  hitCount: 0,
  hitLimit: hits ?? Infinity,
  /** Tells the threads and processes that start from now on which test starts them. */
  passOn(running) {
    const all = encodeURIComponent(JSON.stringify({ ...config, ...running }))
    process.env.NODE_OPTIONS = process.env.NODE_OPTIONS.replace(own, (_, name) => name + all)
  },
}
if (runsTests) globalThis.__stryker__.passOn({ test: '' })
else if (records) record()

function record() {
  const file = join(records, `${process.pid}-${threadId}.json`)
  const write = () => writeFileSync(file, JSON.stringify(counted))
  // A thread that is terminated gets no `exit` event.
  setInterval(write, 100).unref()
  process.on('exit', write)
}
