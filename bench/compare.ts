// npm run bench:compare: is this checkout slower than another one? Both run the same scenario in turns, so that whatever
// slows the machine down slows both.
//
//   git worktree add ../before main~20 && (cd ../before && npm ci)
//   npm run bench:compare -- ../before guards me --rounds 15 --seconds 0.2
//
// Prints, for each row and column, the speed of this checkout as a share of the other's: the median of all rounds and a
// confidence interval of at least 95 %. 1 is as fast, less is slower. Compare columns of processor time: those of elapsed
// time also tell what else the machine did.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Result } from './result.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '15' }, seconds: { type: 'string', default: '0.2' } },
})
const [other, ...scenarios] = positionals
if (other === undefined || scenarios.length === 0) {
  throw new TypeError('npm run bench:compare takes the folder of another checkout, and then names of scenarios')
}
const checkouts = { before: resolve(other), after: join(import.meta.dirname, '..') }
const rounds = Number(values.rounds)

for (const scenario of scenarios) {
  const speeds = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const)
    const results = Object.fromEntries(order.map((side) => [side, measure(checkouts[side], scenario)]))
    for (const [name, after] of cellsOf(results['after']!)) {
      const before = cellsOf(results['before']!).get(name)
      if (before === undefined || before <= 0 || after <= 0) continue // the difference of two noisy figures
      speeds.set(name, [...(speeds.get(name) ?? []), isTime(name) ? before / after : after / before])
    }
  }
  console.log(`\n## ${scenario}, ${rounds} rounds\n\n| what | speed, this ÷ other | interval |\n| --- | --: | --: |`)
  for (const [name, shares] of speeds) {
    const { median, low, high } = intervalOf(shares)
    console.log(`| ${name} | ${median.toFixed(3)} | ${low.toFixed(3)}–${high.toFixed(3)} |`)
  }
}

/** One round of a scenario in a checkout, by that checkout's own bench. */
function measure(checkout: string, scenario: string): Result {
  const out = mkdtempSync(join(tmpdir(), 'keystile-compare-'))
  try {
    const args = [
      'run',
      '--silent',
      'bench',
      '--',
      scenario,
      '--rounds',
      '1',
      '--seconds',
      values.seconds,
      '--out',
      out,
    ]
    const { status, stderr } = spawnSync('npm', args, { cwd: checkout, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the scenario ${scenario} failed in ${checkout}:\n${stderr}`)
    return JSON.parse(readFileSync(join(out, `${scenario}.json`), 'utf8')) as Result
  } finally {
    rmSync(out, { recursive: true })
  }
}

/** The figures of a result, by row and column. */
function cellsOf({ table: { columns, rows } }: Result): ReadonlyMap<string, number> {
  return new Map(
    rows.flatMap(({ name, cells }) =>
      cells.flatMap((cell, index) => (cell === null ? [] : [[`${name}: ${columns[index + 1]}`, cell.median] as const])),
    ),
  )
}

/** Whether less of it is better: a time or a size. The other columns are rates and shares. */
function isTime(name: string): boolean {
  return /µs|\bms\b|MiB|bytes|KiB/.test(name)
}

/** The median, and the two order statistics around it between which the true median lies with 95 % or more. */
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
  for (let sum = 0.5 ** count; sum <= 0.025 && rank < count; rank++) sum += binomial(count, rank + 1) * 0.5 ** count
  const outer = Math.max(0, rank - 1)
  return { median, low: at(outer), high: at(count - 1 - outer) }
}

function binomial(n: number, k: number): number {
  return k === 0 ? 1 : (binomial(n, k - 1) * (n - k + 1)) / k
}
