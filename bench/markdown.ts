import { wrap } from '../tools/wrap.ts'
import { isMet, type Bar, type Result } from './result.ts'
import type { Summary } from './statistics.ts'

/**
 * Returns a result as Markdown: as a page, or as a section of a page.
 *
 * @param level the level of the heading
 */
export function toMarkdown(result: Result, level = 1): string {
  const { title, method, command, date, machine, versions, table, bars, skipped } = result
  const { processor, memory, system, load } = machine
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const parts = [
    `${'#'.repeat(level)} ${title}`,
    wrap(method),
    tableOf(
      table.columns,
      table.rows.map(({ name, cells }) => [name, ...cells.map(cellOf)]),
    ),
    ...(bars.length > 0 ? [tableOf(['bar', 'promised', 'measured', ''], bars.map(barOf))] : []),
    ...skipped.map((reason) => wrap(`**Skipped:** ${reason}`)),
    wrap(
      `\`${command}\`, ${date.slice(0, 10)}. ${processor}, ${memory}, ${system}, ` +
        `load ${load} when it began. ${said.join(', ')}.`,
    ),
  ]
  return `${parts.join('\n\n')}\n`
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = columns.map((_, index) => (index === 0 ? '---' : '--:'))
  return [line(columns), line(rule), ...rows.map(line)].join('\n')
}

function cellOf(cell: Summary | null): string {
  if (!cell) return '–'
  const spread =
    cell.lowest === cell.highest ? '' : ` (${short(cell.lowest)}–${short(cell.highest)})`
  return `${short(cell.median)}${spread}`
}

function barOf(bar: Bar): readonly string[] {
  const promised = bar.atLeast === undefined ? `≤ ${short(bar.atMost!)}` : `≥ ${short(bar.atLeast)}`
  return [bar.promise, promised, short(bar.measured), isMet(bar) ? 'met' : '**missed**']
}

/**
 * Returns a number with about three digits, because the measurements are not more precise than
 * that.
 */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}
