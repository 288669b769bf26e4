// The rows of signing keys as both databases store them. Times are integers in milliseconds.

export interface SigningTimes {
  /** The `kid`. */
  readonly id: string
  readonly algorithm: string
  readonly published_at: number
  readonly signs_from: number
  /**
   * When the key stops signing, because its successor begins to sign. Null while the key has no
   * successor.
   */
  readonly signs_until: number | null
}

export interface SigningKeyRow extends SigningTimes {
  /**
   * The private JWK, encrypted with the sealing secret, so that an attacker with a copy of the
   * database cannot sign tokens.
   */
  readonly sealed_jwk: string
  readonly created_at: number
}

/** A new key. The transaction sets its times. */
export type NewKey = Pick<SigningKeyRow, 'id' | 'algorithm' | 'sealed_jwk'>

export interface SigningKeyTables {
  readonly signing_key: SigningKeyRow
  /**
   * The table `setting`, whose rows have a name and a value. The row `issuer` has the issuer that
   * the database belongs to. The row `longest_access_token_seconds` has the longest lifetime of an
   * access token that any process on this database was configured with.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
