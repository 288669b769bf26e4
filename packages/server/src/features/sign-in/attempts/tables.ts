// The rows of logins that have not ended, and of remembered devices, as both databases store them.
// Times are integers in milliseconds.
//
// The table `login_flow` has its name because a row keeps what was proved for the next request of a
// login: an attempt for the next step, a remembered device for the next login. They share a table,
// so that whatever ends the logins of a user ends both (decisions/0070). Their ids are hashes of
// different secrets, so a statement that names an id needs no `front`.

/** A login that waits for its next step. The row is deleted when the session starts. */
export interface AttemptRow {
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

/**
 * A device on which a second factor was proved, which spares the next ones. Only
 * `remembered-devices-in-transaction.ts` writes it into `login_flow`, and reads its session there.
 */
export interface RememberedDeviceRow {
  /** The hash of a secret that only the device secret has. */
  readonly id: string
  readonly client_id: string
  readonly subject: string
  /** The session of its newest login. */
  readonly session_id: string
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
  readonly login_flow: AttemptRow
  readonly authorization_code: AuthorizationCodeRow
}
