import type { Machine } from './machine.ts'
import type { Summary } from './statistics.ts'

/** What a scenario found. This is stored as JSON, from which the table and the plot are made. */
export interface Result {
  readonly name: string
  readonly title: string
  /** What was done, in a sentence or two. */
  readonly method: string
  /** The command that makes these figures. */
  readonly command: string
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly table: Table
  /** The promises, each with the measured value and its limit. */
  readonly bars: readonly Bar[]
  /** What was not measured, and why. */
  readonly skipped: readonly string[]
  readonly plot: Plot
}

/** What a scenario itself contributes to a result. */
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
  /** `null` where there is nothing to measure. */
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
