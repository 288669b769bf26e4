// The audit events of invitations. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = [
  /** An operator or the app invited a person. The subject is the id of the future user. */
  'user_invited',
  /** An operator revoked an invitation before it was accepted. */
  'invitation_revoked',
] as const

export type InvitationEvent = (typeof auditEvents)[number]
