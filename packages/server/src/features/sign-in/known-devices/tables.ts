/** The table with the key for device secrets, in the row `device_key`. */
export interface KnownDeviceTables {
  readonly setting: { readonly name: string; readonly value: string }
}
