/** The tables of scopes. */
export interface ScopeTables {
  /** Its row `declared` holds the scopes and roles of the latest start, as JSON. */
  readonly setting: { readonly name: string; readonly value: string }
}
