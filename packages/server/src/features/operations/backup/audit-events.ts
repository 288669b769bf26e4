// The audit events of this feature. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = ['database_restored'] as const

export type BackupEvent = (typeof auditEvents)[number]
