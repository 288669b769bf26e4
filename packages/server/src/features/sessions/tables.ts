// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/** One login on one device. Its tokens name it in `sid`. */
export interface SessionRow {
  readonly id: string
  readonly subject: string
  readonly client_id: string
  /** What was granted at the login: no refresh gives more. */
  readonly scopes: string
  /** The `User-Agent` of the login. */
  readonly device: string | null
  readonly created_at: number
  readonly last_used_at: number
  /** No refresh goes beyond this, whatever the settings are by then. */
  readonly expires_at: number
  /** Nor beyond this, which each refresh moves on. */
  readonly idle_expires_at: number
  /** The latest `exp` of a token issued under it: until then an end of it must be remembered. */
  readonly tokens_expire_at: number
  /** When a used token was last answered although its grace was over. */
  readonly late_retry_at: number | null
  readonly ended_at: number | null
}

/** One link of the chain of a session's refresh tokens. */
export interface RefreshTokenRow {
  /** The part before the dot: random, and not the `sid`, which access tokens tell. */
  readonly id: string
  readonly session_id: string
  /** SHA-256 of the part after the dot. */
  readonly secret_hash: string
  readonly created_at: number
  readonly used_at: number | null
  readonly successor_id: string | null
  /**
   * The successor, until it is used, sealed under this token: whoever shows this one again can be
   * given it, and nobody else.
   */
  readonly sealed_successor: string | null
  /** Until when showing it again is as good as the first time. */
  readonly repeatable_until: number | null
}

/** The tables of sessions. */
export interface SessionTables {
  readonly session: SessionRow
  readonly refresh_token: RefreshTokenRow
}
