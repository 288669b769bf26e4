// A hand-written verification with jose, as in its documentation. It imports the key once, and
// demands the issuer, audience, type and algorithm.
import { jwtVerify, type JWTPayload } from 'jose'
import { audience, issuer } from '../tokens.ts'
import { variable } from './environment.ts'

const hmac = { name: 'HMAC', hash: 'SHA-256' }
const key = await crypto.subtle.importKey('raw', Buffer.from(variable('SECRET')), hmac, false, [
  'verify',
])
const demand = { issuer, audience, typ: 'at+jwt', algorithms: ['HS256'] }

/**
 * Returns the claims of the token in an `Authorization` field, or `undefined` without such a field.
 * @throws for a bad token
 */
export async function verifyWithJose(field: string | undefined): Promise<JWTPayload | undefined> {
  const [scheme, token] = (field ?? '').split(' ')
  if (scheme !== 'Bearer' || token === undefined) return undefined
  return (await jwtVerify(token, key, demand)).payload
}
