export interface ScopeTables {
  /**
   * The table `setting`, whose rows have a name and a value. The row `declared` has the scopes and
   * roles of the latest start, and whether the app stores the users itself, as JSON.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
