import type { TokenError } from '../base/errors.ts'

/**
 * The `WWW-Authenticate` value of a refusal. A request without a credential is told nothing but the
 * scheme and realm.
 *
 * @param realm who guards; the issuer
 * @see RFC 6750 §3
 */
export function bearerChallenge(error: TokenError, realm: string): string {
  const parts = [`realm=${quoted(realm)}`]
  if (error.code !== 'not_authenticated') {
    parts.push(`error=${quoted(error.code)}`, `error_description=${quoted(error.message)}`)
  }
  const { scopes, maxAgeSeconds } = error.shortfall
  if (scopes?.length) parts.push(`scope=${quoted(scopes.join(' '))}`)
  if (maxAgeSeconds !== undefined) parts.push(`max_age=${quoted(String(maxAgeSeconds))}`) // RFC 9470 §3
  return `Bearer ${parts.join(', ')}`
}

/**
 * Only %x20-21 / %x23-5B / %x5D-7E may stand in these values (RFC 6750 §3): the rest is dropped,
 * not escaped.
 */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
}
