// A file of its own, because both `store.ts`, which writes the event, and `feature.ts` import it.
export const auditEvents = [
  /** The password of a login was right, and the login needs a second factor. */
  'factor_required',
] as const

export type AttemptEvent = (typeof auditEvents)[number]
