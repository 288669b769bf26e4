// The rows of sessions and refresh tokens as both databases store them. Times are integers in
// milliseconds; lists and profiles are JSON text.

/** One login on one device. The claim `sid` of the session's access tokens is the session's id. */
export interface SessionRow {
  readonly id: string
  readonly subject: string
  readonly client_id: string
  /** The scopes that the login granted, as a JSON list. A refresh grants these scopes or fewer. */
  readonly scopes: string
  /** The `User-Agent` of the login. */
  readonly device: string | null
  readonly created_at: number
  readonly last_used_at: number
  /**
   * When the session ends, even if it is refreshed. Set at the login, so that later changes of the
   * settings do not extend it.
   */
  readonly expires_at: number
  /**
   * The time at which the session expires if it is not refreshed. Each refresh sets a later time.
   */
  readonly idle_expires_at: number
  /**
   * The latest `exp` of the session's access tokens. If the session is ended, the event that
   * revokes these tokens must stay in the database until this time.
   */
  readonly tokens_expire_at: number
  /**
   * The time at which the session last accepted a used refresh token after the grace period; null
   * if the session has never accepted one.
   */
  readonly late_retry_at: number | null
  readonly ended_at: number | null
  /**
   * How the person authenticated, as a JSON list (RFC 8176 §2). Null if that is unknown: the app
   * authenticated the person, or the session is older than this column.
   */
  readonly amr: string | null
  /** When the person authenticated, which may be before a step-up. Null if `amr` is null. */
  readonly authenticated_at: number | null
}

/**
 * One refresh token. The tokens of a session form a chain: the first use of a token makes its
 * successor.
 */
export interface RefreshTokenRow {
  /**
   * The part of the token before the dot. It is not the `sid`, because everyone who reads an access
   * token knows the `sid`.
   */
  readonly id: string
  readonly session_id: string
  /**
   * SHA-256 of the part of the token after the dot, which is its secret. A fast hash is enough,
   * because the secret has 256 random bits.
   */
  readonly secret_hash: string
  readonly created_at: number
  readonly used_at: number | null
  readonly successor_id: string | null
  /**
   * The successor, encrypted with the secret of this token, so that a copy of the database does not
   * reveal it. A caller that presents this token again gets the successor. Null before this token
   * is used, and after the successor is used.
   */
  readonly sealed_successor: string | null
  /**
   * The end of the grace period. Until then, a caller that presents this token again gets the
   * successor.
   */
  readonly repeatable_until: number | null
}

export interface SessionTables {
  readonly session: SessionRow
  readonly refresh_token: RefreshTokenRow
}
