// Rows as they lie in both databases. Instants are integers in milliseconds, lists and profiles are JSON text.

export interface SettingRow {
  readonly name: string
  readonly value: string
}

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
  /** The successor, until it is used, sealed under this token: whoever shows this one again can be given it, and nobody else. */
  readonly sealed_successor: string | null
  /** Until when showing it again is as good as the first time. */
  readonly repeatable_until: number | null
}

/** An end of a session, subject or client. Numbered by the feed after it was committed, so that numbers appear in order. */
export interface EventRow {
  readonly id: string
  readonly seq: number | null
  readonly kind: 'session' | 'subject' | 'client'
  readonly value: string
  readonly created_at: number
  readonly expires_at: number
}

/** The one row whose lock serializes numbering. */
export interface FeedRow {
  readonly id: number
  readonly seq: number
}

export interface SigningKeyRow {
  /** `kid`. */
  readonly id: string
  readonly algorithm: string
  /** The private JWK, sealed. */
  readonly sealed_jwk: string
  readonly created_at: number
}

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

/** What happened, and by whom. A row is never changed: the database refuses it. */
export interface AuditRow {
  readonly id: string
  readonly at: number
  readonly event: string
  readonly actor: string
  readonly subject: string | null
  readonly session_id: string | null
  readonly client_id: string | null
  readonly address: string | null
  /** JSON: names of what was changed. */
  readonly detail: string | null
}

/** How much of a limit is used up. */
export interface RateRow {
  /** A hash of the limit's name and of whom it is for: no name and no address. */
  readonly key: string
  /** The theoretical arrival time of GCRA: from then on, nothing is used up. */
  readonly tat: number
}

export interface Tables {
  readonly setting: SettingRow
  readonly user: UserRow
  readonly client: ClientRow
  readonly session: SessionRow
  readonly refresh_token: RefreshTokenRow
  readonly event: EventRow
  readonly feed: FeedRow
  readonly signing_key: SigningKeyRow
  readonly audit: AuditRow
  readonly rate: RateRow
}
