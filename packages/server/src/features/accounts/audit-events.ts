/** What accounts write into the audit record. */
export const auditEvents = [
  'user_created',
  'user_disabled',
  'user_enabled',
  'user_deleted',
  /** Roles or scopes of a user changed. */
  'grants_changed',
  'password_changed',
  /** The current password, which a change asks for, was wrong. */
  'password_refused',
  'email_changed',
  'profile_changed',
] as const

export type AccountEvent = (typeof auditEvents)[number]
