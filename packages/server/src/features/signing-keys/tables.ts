// The rows of signing keys as both databases store them. Times are integers in milliseconds.

/** One signing key. */
export interface SigningKeyRow {
  /** The `kid`. */
  readonly id: string
  readonly algorithm: string
  /**
   * The private JWK, encrypted with the sealing secret, so that an attacker with a copy of the
   * database cannot sign tokens.
   */
  readonly sealed_jwk: string
  readonly created_at: number
}

/** The tables of signing keys. */
export interface SigningKeyTables {
  readonly signing_key: SigningKeyRow
  /**
   * The table `setting`, whose rows have a name and a value. The row `issuer` has the issuer that
   * the database belongs to.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
