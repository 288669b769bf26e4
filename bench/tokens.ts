// The tokens of the verifying scenarios: claims as Keystile issues them, each token another.
import { randomBytes } from 'node:crypto'
import { signJwt, type SigningKey } from 'keystile/jwt'

export const issuer = 'https://auth.example'
export const audience = 'https://orders.example'
const lifetimeSeconds = 24 * 60 * 60

export function issueTokens(count: number, key: SigningKey): readonly string[] {
  return Array.from({ length: count }, () => issueToken(key))
}

function issueToken(key: SigningKey): string {
  const claims = {
    iss: issuer,
    sub: randomId(),
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
