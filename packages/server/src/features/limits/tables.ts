// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/** How much of a limit is used up. */
export interface RateRow {
  /** A hash of the limit's name and of whom it is for: no name and no address. */
  readonly key: string
  /** The theoretical arrival time of GCRA: from then on, nothing is used up. */
  readonly tat: number
}

/** The table of rate limits. */
export interface LimitTables {
  readonly rate: RateRow
}
