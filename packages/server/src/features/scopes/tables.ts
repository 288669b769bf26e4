/** The tables of scopes. */
export interface ScopeTables {
  /**
   * Values by their names. The row `declared` has the scopes and roles of the latest start, as
   * JSON.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
