// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/** An account. */
export interface UserRow {
  /** The subject: 128 random bits, never used again. */
  readonly id: string
  /** As typed. */
  readonly username: string
  /** Case-folded, unique. */
  readonly username_key: string
  /** As typed, but with the domain in ASCII, so that mail can be sent to it. */
  readonly email: string | null
  /** Case-folded, unique. */
  readonly email_key: string | null
  readonly email_verified_at: number | null
  /** A PHC string, such as `$argon2id$v=19$…`, or a bcrypt hash. */
  readonly password_hash: string
  /** The session in which the user set the password; null if another person set it. */
  readonly password_session: string | null
  readonly scopes: string
  readonly roles: string
  readonly profile: string
  readonly created_at: number
  readonly disabled_at: number | null
  /** A deleted user's row stays without its data, so that the name cannot be registered again. */
  readonly deleted_at: number | null
}

/** The tables of accounts. */
export interface AccountTables {
  readonly user: UserRow
  /** Settings by name. Every change of rights locks the row `administration`. */
  readonly setting: { readonly name: string; readonly value: string }
}
