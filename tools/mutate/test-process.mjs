// Loads test files once, and runs their tests as often as warm.ts asks, with another mutant each
// time. Tests import this file instead of `node:test`, which runs each test only once. Each test
// runs alone: all hooks of its suites run before and after it.
import { mock } from 'node:test'

export { mock }
/** A suite: its name, its parent, and the hooks of each kind. */
const newSuite = (name, parent, skip) => ({
  name,
  parent,
  skip,
  hooks: { before: [], after: [], beforeEach: [], afterEach: [] },
})
const tests = new Map()
let suite = newSuite('', undefined, false)
let file = ''
/** The test that runs now. */
let current

/** Splits the parameters of `it` and `describe`. */
const read = ([name, ...rest]) => ({
  name,
  work: rest.find((value) => typeof value === 'function') ?? (() => {}),
  skip: Boolean(rest.find((value) => typeof value === 'object')?.skip),
})

export function describe(...given) {
  const { name, work, skip } = read(given)
  suite = newSuite(name, suite, skip)
  work()
  suite = suite.parent
}
describe.skip = () => {}

export function it(...given) {
  const { name, work, skip } = read(given)
  const suites = []
  for (let each = suite; each; each = each.parent) suites.unshift(each)
  if (skip || suites.some(({ skip }) => skip)) return
  const fullName = [...suites.slice(1).map(({ name }) => name), name].join(' > ')
  let id = `${file}: ${fullName}`
  while (tests.has(id)) id += ' (again)'
  tests.set(id, { id, name, fullName, work, suites })
}
it.skip = it.todo = () => {}
export { it as test, it as default, describe as suite }

const hook = (kind) => (work) => suite.hooks[kind].push(work)
export const before = hook('before')
export const after = hook('after')
export const beforeEach = hook('beforeEach')
export const afterEach = hook('afterEach')

/** Runs a test with its hooks. Returns the first error, or undefined if the test has passed. */
async function run({ id, name, fullName, work, suites }) {
  const errors = []
  const attempt = async (functions, context) => {
    for (const each of functions)
      try {
        await each(context)
      } catch (error) {
        errors.push(error ?? new Error('a test threw nothing'))
      }
  }
  const uncaught = new Promise((_, reject) => {
    current = { fail: reject }
  })
  uncaught.catch((error) => errors.push(error))
  const hooksOf = (all, kind) => all.flatMap(({ hooks }) => hooks[kind])
  const ending = new AbortController()
  const afterwards = []
  const context = {
    name,
    fullName,
    signal: ending.signal,
    mock: new mock.constructor(),
    after: (work) => afterwards.push(work),
    skip() {},
    todo() {},
    diagnostic() {},
  }
  globalThis.__stryker__.currentTestId = id
  await attempt([...hooksOf(suites, 'before'), ...hooksOf(suites, 'beforeEach')], context)
  if (errors.length === 0) await attempt([() => Promise.race([work(context), uncaught])], context)
  // As in Node.js: the hooks of the inner suite first, and those of a suite in their order.
  const outwards = suites.toReversed()
  await attempt([...hooksOf(outwards, 'afterEach'), ...afterwards], context)
  await attempt(hooksOf(outwards, 'after'), context)
  globalThis.__stryker__.currentTestId = undefined
  ending.abort()
  context.mock.reset()
  mock.reset()
  current = undefined
  return errors[0]
}

const onUncaught = (error) => current?.fail(error)
process.on('uncaughtException', onUncaught)
process.on('unhandledRejection', onUncaught)

/** Runs tests until one fails. */
async function answer({ mutant, ids, hitLimits = [] }) {
  globalThis.__stryker__.activeMutant = mutant
  const costs = {}
  let hits = 0
  for (const [index, id] of ids.entries()) {
    Object.assign(globalThis.__stryker__, { hitCount: 0, hitLimit: hitLimits[index] ?? Infinity })
    globalThis.__stryker__.passOn({ test: id, mutant, hits: hitLimits[index] })
    process.send({ started: id })
    const [cpu, started] = [process.cpuUsage(), performance.now()]
    const error = await run(tests.get(id))
    const { user, system } = process.cpuUsage(cpu)
    costs[id] = { cpu: (user + system) / 1000, elapsed: performance.now() - started }
    if (error) return { failed: id, error: String(error?.stack ?? error), costs }
    hits += globalThis.__stryker__.hitCount
  }
  return { costs, hits }
}

async function load(files) {
  const root = suite
  for (file of files) {
    suite = newSuite('', undefined, false)
    await import(new URL(`../../${file}`, import.meta.url).href)
  }
  suite = root
}

process.on('disconnect', () => process.exit())
process.on('message', async (question) => {
  const { mutantCoverage } = globalThis.__stryker__
  if (question.files)
    // Otherwise the process would wait, because `onUncaught` keeps it alive.
    await load(question.files).catch(() => process.exit(1))
  const result = question.ids ? await answer(question) : { ids: [...tests.keys()] }
  process.send({ ...result, ...(question.counts && { counts: mutantCoverage }) })
})
