export const auditEvents = ['signing_key_published', 'signing_key_revoked'] as const

export type SigningKeyEvent = (typeof auditEvents)[number]
