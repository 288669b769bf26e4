export const auditEvents = ['database_restored'] as const

export type BackupEvent = (typeof auditEvents)[number]
