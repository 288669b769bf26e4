// The rows of login attempts as both databases store them. Times are integers in milliseconds.

/** A login that waits for its next step. The row is deleted when the session starts. */
export interface LoginFlowRow {
  /** The hash of `auth_session`, which only the caller has. */
  readonly id: string
  /** The endpoint at which the attempt began, and at which it must go on. */
  readonly front: string
  readonly client_id: string
  readonly subject: string
  /** What was proved so far, as JSON. */
  readonly proofs: string
  /** What was asked for, and how the attempt was counted: encrypted JSON. */
  readonly sealed: string
  /** The number of wrong second factors. */
  readonly tries: number
  readonly created_at: number
  readonly expires_at: number
}

export interface LoginFlowTables {
  readonly login_flow: LoginFlowRow
}
