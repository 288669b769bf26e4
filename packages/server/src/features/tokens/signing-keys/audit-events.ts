// The audit events of this feature. They are not in `feature.ts`, because it imports, through other
// files, what records them.
export const auditEvents = ['signing_key_published', 'signing_key_revoked'] as const

export type SigningKeyEvent = (typeof auditEvents)[number]
