// A file of its own, because both the stores, which write the events, and `feature.ts` import it.
export const auditEvents = [
  'user_created',
  'user_disabled',
  'user_enabled',
  'user_deleted',
  /** Roles or scopes of a user changed. */
  'grants_changed',
  'password_changed',
  /**
   * A change of the password or e-mail address was refused, because the current password was wrong.
   */
  'password_refused',
  'email_changed',
  'profile_changed',
] as const

export type AccountEvent = (typeof auditEvents)[number]
