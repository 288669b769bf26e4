/**
 * Values of labels. They come from closed lists: no name, address, token or path that a caller
 * sent.
 */
export type Labels = Readonly<Record<string, string>>

interface Named {
  readonly name: string
  readonly help: string
}

/** @typeParam L the labels, and the values that each may have */
interface Labelled<L extends Labels> extends Named {
  /** The values of each label; none where they are known only when the server runs. */
  readonly labels: { readonly [Name in keyof L]: readonly L[Name][] }
}

/**
 * Counts events. Each combination of known values is told from zero on, so that its first event is
 * a rise.
 */
export interface CounterMetric<L extends Labels = Labels> extends Labelled<L> {
  readonly type: 'counter'
}

/** Counts durations. */
export interface HistogramMetric<L extends Labels = Labels> extends Labelled<L> {
  readonly type: 'histogram'
}

/** A number that is read when metrics are asked for. */
export interface GaugeMetric extends Named {
  readonly type: 'gauge'
}

/** A metric as its feature declares it. */
export type Metric = CounterMetric | HistogramMetric | GaugeMetric

/** A gauge, and its value at the moment. */
export interface Reading {
  readonly gauge: GaugeMetric
  readonly value: number
}

/** Where features count. */
export interface Meter {
  add<L extends Labels>(counter: CounterMetric<L>, labels: NoInfer<L>): void
  observe<L extends Labels>(
    histogram: HistogramMetric<L>,
    labels: NoInfer<L>,
    seconds: number,
  ): void
}

/** Counts nothing: for an app without metrics. */
export const noMeter: Meter = { add() {}, observe() {} }
