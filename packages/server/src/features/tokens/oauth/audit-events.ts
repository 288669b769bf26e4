// The audit events of this feature. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = [
  /** A client presented a refresh token of another client. */
  'refresh_refused',
  /** A client presented an authorization code of another client. */
  'code_refused',
  /** A client tried to end a session of another client. */
  'revocation_refused',
] as const

export type OAuthEvent = (typeof auditEvents)[number]
