// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/** Software that asks for tokens, beside the one that is built in. Lists are JSON. */
export interface ClientRow {
  /** `client_id`, and never another client's. */
  readonly id: string
  /** SHA-256 of the secret; a public client has none. */
  readonly secret_hash: string | null
  readonly grants: string
  readonly scopes: string
  /** Which endpoints it may ask that are not for every client. */
  readonly may: string
  readonly created_at: number
  readonly disabled_at: number | null
}

/** The table of clients. */
export interface ClientTables {
  readonly client: ClientRow
}
