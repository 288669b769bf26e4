// The feature `factors` (features/sign-in) lists these events. They are here because logins, which
// do not import that room, write them too.
export const auditEvents = [
  /** A user has set up or removed a second factor. `detail` says which: `{ factor: 'otp' }`. */
  'factor_added',
  'factor_removed',
  'recovery_codes_made',
  /** An operator or the app has removed all second factors of a user. */
  'factors_reset',
] as const

export type FactorEvent = (typeof auditEvents)[number]
