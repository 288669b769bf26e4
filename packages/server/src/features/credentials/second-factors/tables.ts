// The rows of second factors as both databases store them. Times are integers in milliseconds.

/** The authenticator app of a user. */
export interface AuthenticatorAppRow {
  readonly subject: string
  /** `confirmed`, or before the first code what `pendingIn()` returns. A user has one of each. */
  readonly state: string
  /** The secret, encrypted. */
  readonly sealed: string
  /** The step of the newest code that was accepted. Codes of this step or earlier do not work. */
  readonly last_step: number
  /** How many wrong codes came in a row from unknown devices. */
  readonly wrong_codes: number
  readonly created_at: number
}

/**
 * The state of an app that waits for its first code in a session. No other session can replace or
 * confirm it.
 */
export const pendingIn = (sessionId: string): string => `pending ${sessionId}`

/** A recovery code that was not used yet. */
export interface RecoveryCodeRow {
  /** The hash of the code. */
  readonly id: string
  readonly subject: string
  readonly created_at: number
}

export interface SecondFactorTables {
  readonly authenticator_app: AuthenticatorAppRow
  readonly recovery_code: RecoveryCodeRow
}
