/** A lease. At most one process holds it at a time. */
export interface LeaseRow {
  readonly name: string
  /** The random id of the process that took the lease last. */
  readonly holder: string
  /** Grows by one each time that another process takes the lease. */
  readonly fence: number
  /**
   * When the lease expires, in milliseconds by the clock of the database. 0 if the holder has
   * released the lease.
   */
  readonly expires_at: number
}

export interface LeaseTables {
  readonly lease: LeaseRow
}
