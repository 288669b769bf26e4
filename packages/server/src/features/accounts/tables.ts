// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

export interface UserRow {
  /** The subject: 128 random bits, never used again. */
  readonly id: string
  /** As typed. */
  readonly username: string
  /** Case-folded, unique. */
  readonly username_key: string
  /** As typed, the domain in ASCII: where mail goes. */
  readonly email: string | null
  /** Case-folded, unique. */
  readonly email_key: string | null
  readonly email_verified_at: number | null
  /** PHC string. */
  readonly password_hash: string
  /** The session in which the user set it. */
  readonly password_session: string | null
  readonly scopes: string
  readonly roles: string
  readonly profile: string
  readonly created_at: number
  readonly disabled_at: number | null
  /** A deleted user's row stays without its data, so that nobody gets the name. */
  readonly deleted_at: number | null
}

/** The tables of accounts. */
export interface AccountTables {
  readonly user: UserRow
  /** One row of it, `administration`, is locked by every change of rights. */
  readonly setting: { readonly name: string; readonly value: string }
}
