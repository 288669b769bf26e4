/** What sessions write into the audit record. */
export const auditEvents = [
  'login',
  /** A refresh token was shown again; this ends its session. */
  'refresh_reused',
  'session_ended',
  /** All sessions of a subject ended at once. */
  'sessions_ended',
] as const

export type SessionEvent = (typeof auditEvents)[number]
