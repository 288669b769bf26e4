/** The login of a browser at the pages. Its session says who it is, how, and how long. */
export interface BrowserLoginRow {
  /** The hash of the secret in the cookie. */
  readonly id: string
  readonly session_id: string
  readonly subject: string
  /** When the session ends, even if it is used. */
  readonly expires_at: number
}

export interface BrowserLoginTables {
  readonly browser_login: BrowserLoginRow
}
