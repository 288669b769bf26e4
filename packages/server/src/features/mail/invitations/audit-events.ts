// Apart from `feature.ts`, which imports the command line, and with it `store.ts`.
export const auditEvents = [
  /** An operator or the app invited a person. The subject is the id of the future user. */
  'user_invited',
  /** An operator revoked an invitation before it was accepted. */
  'invitation_revoked',
] as const

export type InvitationEvent = (typeof auditEvents)[number]
