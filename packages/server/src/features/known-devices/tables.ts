/** Where the secret lies that seals device secrets: the row `device_key`. */
export interface KnownDeviceTables {
  readonly setting: { readonly name: string; readonly value: string }
}
