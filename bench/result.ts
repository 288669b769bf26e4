import type { Machine } from './machine.ts'
import type { Summary } from './statistics.ts'

/**
 * The result of a scenario. It is stored as JSON, and the table and the plot are made from this
 * JSON.
 */
export interface Result {
  readonly name: string
  readonly title: string
  /** What was done, in a sentence or two. */
  readonly method: string
  /** The command that measured these figures. */
  readonly command: string
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly table: Table
  /** The promises of Keystile. Each bar has the promised limit and the measured value. */
  readonly bars: readonly Bar[]
  /** What was not measured, and the reason why, with one sentence for each. */
  readonly skipped: readonly string[]
  readonly plot: Plot
}

/** The part of a result that the scenario itself returns. */
export type Findings = Pick<
  Result,
  'title' | 'method' | 'versions' | 'table' | 'bars' | 'skipped' | 'plot'
>

export interface Table {
  /** The first column names the rows. */
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

export interface Row {
  readonly name: string
  /** The values of the row. `null` means that there is nothing to measure. */
  readonly cells: readonly (Summary | null)[]
}

export interface Bar {
  readonly promise: string
  readonly measured: number
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Plot {
  readonly title: string
  readonly unit: string
  readonly groups: readonly PlotGroup[]
}

export interface PlotGroup {
  readonly name: string
  readonly items: readonly {
    readonly name: string
    readonly value: Summary
    readonly isOurs: boolean
  }[]
}

export function isMet({ measured, atLeast = -Infinity, atMost = Infinity }: Bar): boolean {
  return measured >= atLeast && measured <= atMost
}
