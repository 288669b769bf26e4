// The audit events of this feature. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = [
  /** An operator has made a restored database safe to use. The entry says what this has ended. */
  'database_restored',
] as const

export type BackupEvent = (typeof auditEvents)[number]
