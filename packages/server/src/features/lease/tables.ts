/** A lease. At most one process holds it at a time. */
export interface LeaseRow {
  readonly name: string
  /** The process that took the lease last: a random id of that process. */
  readonly holder: string
  /** Grows by one each time that another process takes the lease. */
  readonly fence: number
  /** By the clock of the database, in milliseconds. A lease that was released has 0. */
  readonly expires_at: number
}

/** The table of leases. */
export interface LeaseTables {
  readonly lease: LeaseRow
}
