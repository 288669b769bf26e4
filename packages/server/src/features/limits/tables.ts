// The rows of rate limits as both databases store them. Times are integers in milliseconds.

/** How much of one limit is used. */
export interface RateRow {
  /** A hash of the limit's name and of the user name or address. The table reveals neither. */
  readonly key: string
  /** The theoretical arrival time of GCRA: from then on, the limit is full again. */
  readonly tat: number
}

/** The table of rate limits. */
export interface LimitTables {
  readonly rate: RateRow
}
