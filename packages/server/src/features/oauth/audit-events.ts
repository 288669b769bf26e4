/** What the OAuth endpoints write into the audit record. */
export const auditEvents = [
  /** A client showed a refresh token of another client. */
  'refresh_refused',
  /** A client wanted to end a session of another client. */
  'revocation_refused',
] as const

export type OAuthEvent = (typeof auditEvents)[number]
