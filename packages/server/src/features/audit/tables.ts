// Rows as both databases hold them. Instants are integers in milliseconds, lists and profiles are
// JSON text.

/** What happened, and by whom. A row is never changed: the database refuses it. */
export interface AuditRow {
  readonly id: string
  readonly at: number
  readonly event: string
  readonly actor: string
  readonly subject: string | null
  readonly session_id: string | null
  readonly client_id: string | null
  readonly address: string | null
  /** JSON: names of what was changed. */
  readonly detail: string | null
}

/** The table of the audit record. */
export interface AuditTables {
  readonly audit: AuditRow
}
