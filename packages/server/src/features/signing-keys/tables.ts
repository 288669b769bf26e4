// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

export interface SigningKeyRow {
  /** `kid`. */
  readonly id: string
  readonly algorithm: string
  /** The private JWK, sealed. */
  readonly sealed_jwk: string
  readonly created_at: number
}

/** The tables of signing keys. */
export interface SigningKeyTables {
  readonly signing_key: SigningKeyRow
  /** One row of it, `issuer`, names the issuer that the database belongs to. */
  readonly setting: { readonly name: string; readonly value: string }
}
