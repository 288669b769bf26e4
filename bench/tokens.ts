// Tokens for the scenarios, with claims as Keystile issues them. Each token is different.
import { createHash, randomBytes } from 'node:crypto'
import { signJwt, type SigningKey } from 'keystile/jwt'

export const issuer = 'https://auth.example'
export const audience = 'https://orders.example'
const lifetimeSeconds = 24 * 60 * 60

export function issueTokens(count: number, key: SigningKey): readonly string[] {
  return Array.from({ length: count }, (_, n) => issueToken(key, subjectOf(n)))
}

/** Returns the subject of the token with this number, in the form of Keystile's subjects. */
export function subjectOf(n: number): string {
  return createHash('sha256').update(`user${n}`).digest().subarray(0, 16).toString('base64url')
}

function issueToken(key: SigningKey, sub: string): string {
  const claims = {
    iss: issuer,
    sub,
    aud: audience,
    jti: randomId(),
    client_id: 'first-party',
    sid: randomId(),
    scope: 'items:read items:write',
    auth_time: Math.floor(Date.now() / 1000),
  }
  return signJwt(claims, key, { expiresInSeconds: lifetimeSeconds, type: 'at+jwt' })
}

function randomId(): string {
  return randomBytes(16).toString('base64url')
}
