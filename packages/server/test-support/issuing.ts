// The settings and the signing key that a test needs to start a session.
import { generateKey, type SigningKey } from 'keystile/jwt'
import type { Issuing } from '../src/features/tokens/sessions/issuing.ts'

export function createIssuing(key: SigningKey = generateKey('ES256')): Issuing {
  return {
    issuer: 'i',
    audience: 'i',
    accessTokenSeconds: 60,
    sessionSeconds: 900,
    idleSeconds: 300,
    graceSeconds: 10,
    hasAccounts: true,
    signingKey: () => Promise.resolve(key),
  }
}
