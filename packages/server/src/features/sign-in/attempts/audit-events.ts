export const auditEvents = [
  /** The password of a login was right, and the login needs a second factor. */
  'factor_required',
] as const

export type AttemptEvent = (typeof auditEvents)[number]
