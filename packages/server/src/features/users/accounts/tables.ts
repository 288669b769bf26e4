// The rows of accounts as both databases store them. Times are integers in milliseconds; lists and
// profiles are JSON text.

export interface UserRow {
  /** The subject: 128 random bits, never used again. */
  readonly id: string
  /** The user name as the user typed it. */
  readonly username: string
  /** The user name in lower case, for comparisons. Unique. */
  readonly username_key: string
  /** The e-mail address as typed, but with its domain in ASCII, so that mail can be sent to it. */
  readonly email: string | null
  /** The e-mail address in lower case, for comparisons. Unique. */
  readonly email_key: string | null
  readonly email_verified_at: number | null
  /** The password hash: a PHC string, such as `$argon2id$v=19$…`, or a bcrypt hash. */
  readonly password_hash: string
  /**
   * The session in which the user set the password. Null if the password was set in another way: at
   * the registration, by a link in a mail, or by an operator.
   */
  readonly password_session: string | null
  readonly scopes: string
  readonly roles: string
  readonly profile: string
  readonly created_at: number
  readonly disabled_at: number | null
  /**
   * When the user was deleted. The row stays, without the user's data, so that the name cannot be
   * registered again.
   */
  readonly deleted_at: number | null
}

/**
 * An e-mail address that a user had before. For a week, a link in a mail can restore the address.
 * If the address was verified, no other user can get it during this week.
 */
export interface FormerEmailRow {
  readonly token_hash: string
  readonly subject: string
  readonly email: string
  readonly email_key: string
  readonly email_verified_at: number | null
  /** When the address was replaced. Two rows of a user never have the same time. */
  readonly created_at: number
  readonly expires_at: number
}

export interface AccountTables {
  readonly user: UserRow
  readonly former_email: FormerEmailRow
  /**
   * The table `setting`, whose rows have a name and a value. Every transaction that changes the
   * rights of a user locks the row `administration`.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
