// The audit events of this feature. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = [
  'login',
  /** A refresh token was reused (see `decideRefresh`). This ended its session. */
  'refresh_reused',
  'session_ended',
  /** All sessions of a subject ended together. They share one audit entry. */
  'sessions_ended',
  /** The app has deleted a user, and Keystile has erased what it stored about the user. */
  'user_forgotten',
] as const

export type SessionEvent = (typeof auditEvents)[number]
