export interface BackupTables {
  /**
   * The table `setting`, whose rows have a name and a value. In a backup, the row `backed_up_at`
   * has the time of the backup, in milliseconds. Other databases do not have this row.
   */
  readonly setting: { readonly name: string; readonly value: string }
}
