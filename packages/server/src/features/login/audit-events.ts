/** What logins write into the audit record; the start of the session writes `login`. */
export const auditEvents = [
  /**
   * The entry names the subject where the user exists. It never repeats what was typed as the name:
   * people type passwords into that field.
   */
  'login_refused',
] as const

export type LoginEvent = (typeof auditEvents)[number]
