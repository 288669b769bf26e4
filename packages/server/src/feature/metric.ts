/**
 * Maps the name of each label of a metric to its value. Values come from closed lists and never
 * from a request. Otherwise a caller could fill the memory with new values, or put a secret into
 * the metrics.
 */
export type Labels = Readonly<Record<string, string>>

interface Named {
  /** The name in `/metrics`, which starts with `keystile_`. */
  readonly name: string
  readonly help: string
}

/** @typeParam L maps each label to the values that this label may have */
interface Labelled<L extends Labels> extends Named {
  /**
   * Maps the name of each label to the list of its possible values. The list is empty if the values
   * are known only at run time.
   */
  readonly labels: { readonly [Name in keyof L]: readonly L[Name][] }
}

/**
 * Counts events. For each combination of the labels' known values, `/metrics` shows the count 0
 * from the start. Otherwise an alert on an increase would miss the first event.
 */
export interface CounterMetric<L extends Labels = Labels> extends Labelled<L> {
  readonly type: 'counter'
}

/** Counts durations, grouped by their length. */
export interface HistogramMetric<L extends Labels = Labels> extends Labelled<L> {
  readonly type: 'histogram'
}

/** A number that is read at each request for `/metrics`. */
export interface GaugeMetric extends Named {
  readonly type: 'gauge'
}

export type Metric = CounterMetric | HistogramMetric | GaugeMetric

/** The value of a gauge at one moment. */
export interface Reading {
  readonly gauge: GaugeMetric
  readonly value: number
}

/** What features call to report events and durations. `/metrics` shows the sums. */
export interface Meter {
  /** @param amount how many events there were. Default: 1 */
  add<L extends Labels>(counter: CounterMetric<L>, labels: NoInfer<L>, amount?: number): void
  observe<L extends Labels>(
    histogram: HistogramMetric<L>,
    labels: NoInfer<L>,
    seconds: number,
  ): void
}

/** A meter that counts nothing, for an app with Keystile inside: such an app has no `/metrics`. */
export const noMeter: Meter = { add() {}, observe() {} }
