/** The audit events that sessions record. */
export const auditEvents = [
  'login',
  /** A used refresh token was presented again outside its grace period. This ended its session. */
  'refresh_reused',
  'session_ended',
  /** All sessions of a subject ended together. They share one entry. */
  'sessions_ended',
] as const

export type SessionEvent = (typeof auditEvents)[number]
