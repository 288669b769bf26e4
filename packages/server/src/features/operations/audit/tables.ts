// The rows of the audit record as both databases store them. Times are integers in milliseconds.

/** One entry of the audit record. A trigger of the database refuses every change of a row. */
export interface AuditRow {
  readonly id: string
  readonly at: number
  readonly event: string
  readonly actor: string
  readonly subject: string | null
  readonly session_id: string | null
  readonly client_id: string | null
  readonly address: string | null
  /** JSON: the names of the changed fields, roles or scopes. */
  readonly detail: string | null
}

export interface AuditTables {
  readonly audit: AuditRow
}
