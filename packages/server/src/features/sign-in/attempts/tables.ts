// The rows of login attempts as both databases store them. Times are integers in milliseconds.

/**
 * A login that waits for its next step, and whose row is deleted when the session starts. Or a
 * remembered device: a second factor that was proved, and that spares the next ones. So whatever
 * ends the logins of a user ends both.
 */
export interface LoginFlowRow {
  /**
   * The hash of `auth_session`, which only the caller has. Of a remembered device, the hash of a
   * secret that only its device secret has.
   */
  readonly id: string
  /** The endpoint at which the attempt began, and at which it must go on; or `rememberedFront`. */
  readonly front: string
  readonly client_id: string
  readonly subject: string
  /** What was proved so far, as JSON. Of a remembered device, the session of its newest login. */
  readonly proofs: string
  /** What was asked for, and how the attempt was counted: encrypted JSON. */
  readonly sealed: string
  /** The number of wrong second factors. */
  readonly tries: number
  readonly created_at: number
  readonly expires_at: number
}

/** A login that ended with an authorization code, which waits for its exchange. */
export interface AuthorizationCodeRow {
  /** The hash of the code, which only the client has. */
  readonly id: string
  readonly client_id: string
  readonly subject: string
  /** What was asked for and proved, as JSON. */
  readonly content: string
  /** The session that the code gave; null until it is used. */
  readonly session_id: string | null
  readonly created_at: number
  /** Until then, the code can be used, or ends its session if it was used before. */
  readonly expires_at: number
}

export interface LoginFlowTables {
  readonly login_flow: LoginFlowRow
  readonly authorization_code: AuthorizationCodeRow
}
