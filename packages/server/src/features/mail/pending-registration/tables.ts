// The rows of registrations that wait for a confirmation, as both databases store them. Times are
// integers in milliseconds.

/** A registration that is not an account yet. It reserves neither the name nor the address. */
export interface PendingRegistrationRow {
  /** The id of the proof whose mail confirms the registration. */
  readonly id: string
  /** The subject that the account will have. */
  readonly subject: string
  readonly username: string
  readonly email: string
  /**
   * The address in the form in which two addresses are compared. Several rows may have the same
   * value.
   */
  readonly email_key: string
  readonly password_hash: string
  readonly profile: string
  readonly expires_at: number
}

export interface PendingRegistrationTables {
  readonly pending_registration: PendingRegistrationRow
}
