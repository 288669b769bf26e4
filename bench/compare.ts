// npm run bench:compare: is this checkout slower than a different checkout? Measures the two
// checkouts alternately, so that anything that slows the machine down slows both of them.
//
//   git worktree add ../before main~20 && (cd ../before && npm ci)
//   npm run bench:compare -- ../before guards me --rounds 15 --seconds 0.2
//
// For each figure, prints the speed of this checkout divided by the speed of the other checkout:
// the median of all rounds, and a confidence interval of at least 95 %. 1 means equally fast. A
// number below 1 means that this checkout is slower. For `guards` and `me`, the servers of both
// checkouts run at the same time and are measured alternately. For all other scenarios, each round
// runs the bench of one checkout and then the bench of the other checkout. Their columns of elapsed
// time also depend on what else the machine does.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Effort, Measured } from './measure.ts'
import type { Result } from './result.ts'
import { apps, laneOf, measureApps, nameOf, type App } from './scenarios/guards.ts'
import { measureServers, ours } from './scenarios/me.ts'
import { build, standAlone } from './stand-alone.ts'

type Side = 'before' | 'after'
/**
 * Maps each figure to a list with one number for each round: the speed of this checkout divided by
 * the speed of the other checkout.
 */
type Shares = ReadonlyMap<string, readonly number[]>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '0.2' },
  },
})
const [other, ...scenarios] = positionals
if (other === undefined || scenarios.length === 0) {
  throw new TypeError(
    'npm run bench:compare must get the folder of a checkout, and then names of scenarios',
  )
}
const checkouts = { before: resolve(other), after: join(import.meta.dirname, '..') }
const sides: readonly Side[] = ['before', 'after']
const effort: Effort = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  quick: false,
}

for (const scenario of scenarios) {
  const shares = await compare(scenario)
  console.log(`\n## ${scenario}, ${effort.rounds} rounds\n`)
  console.log('| what | speed, this ÷ other | interval |\n| --- | --: | --: |')
  for (const [name, ofRounds] of shares) {
    const { median, low, high } = intervalOf(ofRounds)
    console.log(`| ${name} | ${median.toFixed(3)} | ${low.toFixed(3)}–${high.toFixed(3)} |`)
  }
}

function compare(scenario: string): Promise<Shares> | Shares {
  if (scenario === 'guards') return compareGuards()
  return scenario === 'me' ? compareServers() : compareRuns(scenario)
}

/**
 * Compares the processor time of a guarded request. Also compares this time divided by the time of
 * an open request. Leaves out servers that the other checkout does not have.
 */
async function compareGuards(): Promise<Shares> {
  const own = apps.filter(
    ({ isOurs, script }) => isOurs && existsSync(join(checkouts.before, 'bench', script)),
  )
  const at = (app: App, side: Side): App => ({
    ...app,
    framework: `${side}: ${app.framework}`,
    script: join(checkouts[side], 'bench', app.script),
  })
  const measured = await measureApps(
    own.flatMap((app) => sides.map((side) => at(app, side))),
    effort,
  )
  return new Map(
    own.flatMap((app) => {
      const cpu = (side: Side, route: 'open' | 'guarded'): readonly number[] =>
        measured.get(laneOf(at(app, side), route))?.cpu ?? []
      const guarded = pairs(cpu('before', 'guarded'), cpu('after', 'guarded'))
      const open = pairs(cpu('before', 'open'), cpu('after', 'open'))
      return [
        [`${nameOf(app)}: guarded request`, guarded],
        [`${nameOf(app)}: guarded ÷ open`, pairs(guarded, open)],
      ] as const
    }),
  )
}

/** Compares the processor time of `GET /users/me` on the built servers of both checkouts. */
async function compareServers(): Promise<Shares> {
  for (const side of sides) build(checkouts[side])
  const measured: ReadonlyMap<string, Measured> = await measureServers(
    sides.map((side) => ({
      ...ours,
      name: side,
      program(folder) {
        const own = join(folder, side)
        mkdirSync(own)
        return standAlone(own, {}, checkouts[side])
      },
    })),
    effort,
  )
  const cpu = (side: Side): readonly number[] => measured.get(side)?.cpu ?? []
  return new Map([['GET /users/me', pairs(cpu('before'), cpu('after'))]])
}

/** Compares each row and column of a scenario. A round runs the bench of each checkout once. */
function compareRuns(scenario: string): Shares {
  const shares = new Map<string, number[]>()
  for (let round = 0; round < effort.rounds; round++) {
    const order = round % 2 === 0 ? sides : sides.toReversed()
    const cells = new Map(order.map((side) => [side, cellsOf(run(checkouts[side], scenario))]))
    for (const [name, after] of cells.get('after') ?? []) {
      const before = cells.get('before')?.get(name)
      // A difference of two noisy figures may be zero or less.
      if (before === undefined || before <= 0 || after <= 0) continue
      shares.set(name, [
        ...(shares.get(name) ?? []),
        isTime(name) ? before / after : after / before,
      ])
    }
  }
  return shares
}

function pairs(dividends: readonly number[], divisors: readonly number[]): readonly number[] {
  return dividends.map((dividend, round) => dividend / (divisors[round] ?? Number.NaN))
}

/** Runs one round of a scenario with the bench of a checkout. */
function run(checkout: string, scenario: string): Result {
  const out = mkdtempSync(join(tmpdir(), 'keystile-compare-'))
  const effort = ['--rounds', '1', '--seconds', values.seconds]
  try {
    const args = ['run', '--silent', 'bench', '--', scenario, ...effort, '--out', out]
    const { status, stderr } = spawnSync('npm', args, { cwd: checkout, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the scenario ${scenario} failed in ${checkout}:\n${stderr}`)
    return JSON.parse(readFileSync(join(out, `${scenario}.json`), 'utf8')) as Result
  } finally {
    rmSync(out, { recursive: true })
  }
}

/** Returns the figures of a result by row and column. */
function cellsOf({ table: { columns, rows } }: Result): ReadonlyMap<string, number> {
  return new Map(
    rows.flatMap(({ name, cells }) =>
      cells.flatMap((cell, index) =>
        cell === null ? [] : [[`${name}: ${columns[index + 1]}`, cell.median] as const],
      ),
    ),
  )
}

/**
 * Whether a column contains times or sizes, where less is better. In the other columns, which
 * contain rates and shares, more is better.
 */
function isTime(name: string): boolean {
  return /µs|\bms\b|MiB|bytes|kB|KiB/.test(name)
}

/**
 * Returns the median, and an interval that contains the true median with a probability of at least
 * 95 %. The ends of the interval are two of the sorted values.
 */
function intervalOf(shares: readonly number[]): {
  readonly median: number
  readonly low: number
  readonly high: number
} {
  const sorted = shares.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const count = sorted.length
  const median = (at(Math.floor((count - 1) / 2)) + at(Math.ceil((count - 1) / 2))) / 2
  // P(fewer than k of n fair coins show heads) ≤ 2.5 %
  let rank = 0
  for (let sum = 0.5 ** count; sum <= 0.025 && rank < count; rank++)
    sum += binomial(count, rank + 1) * 0.5 ** count
  const outer = Math.max(0, rank - 1)
  return { median, low: at(outer), high: at(count - 1 - outer) }
}

function binomial(n: number, k: number): number {
  return k === 0 ? 1 : (binomial(n, k - 1) * (n - k + 1)) / k
}
