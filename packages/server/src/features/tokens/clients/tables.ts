// The rows of clients as both databases store them. Times are integers in milliseconds; lists are
// JSON text.

/** A registered client. The built-in `first-party` has no row. */
export interface ClientRow {
  /**
   * The `client_id`. A new client never gets an id that another client had, so an old token or
   * audit entry cannot point to the new client.
   */
  readonly id: string
  /** SHA-256 of the secret, which has 256 random bits; null for a public client. */
  readonly secret_hash: string | null
  readonly grants: string
  readonly scopes: string
  /** The permissions of the client, such as `introspect`, as a JSON list. */
  readonly may: string
  readonly created_at: number
  readonly disabled_at: number | null
  /** 1 if the client was registered as first-party, otherwise 0. */
  readonly first_party: number
}

export interface ClientTables {
  readonly client: ClientRow
}
