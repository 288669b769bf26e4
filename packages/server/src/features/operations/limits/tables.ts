// The rows of rate limits as both databases store them. Times are integers in milliseconds.

export interface RateRow {
  /**
   * A hash of the limit's name and of the user name or address that the limit counts. So the table
   * does not reveal user names or addresses.
   */
  readonly key: string
  /**
   * The theoretical arrival time of the generic cell rate algorithm (`gcra.ts`): the time at which
   * the limit has refilled completely.
   */
  readonly tat: number
}

export interface LimitTables {
  readonly rate: RateRow
}
