/** The audit events that the commands for backups record. */
export const auditEvents = ['database_restored'] as const

export type BackupEvent = (typeof auditEvents)[number]
