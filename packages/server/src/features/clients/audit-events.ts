/** What clients write into the audit record. */
export const auditEvents = [
  'client_created',
  'client_secret_rotated',
  'client_disabled',
  /** A client was unknown or had a wrong secret; the entry names the client where it exists. */
  'client_refused',
] as const

export type ClientEvent = (typeof auditEvents)[number]
