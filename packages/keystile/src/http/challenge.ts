import type { TokenError } from '../base/errors.ts'

/**
 * Writes the `WWW-Authenticate` value of a refusal. For a request without a credential it contains
 * no `error`, as RFC 6750 §3.1 requires.
 *
 * @param realm the issuer
 * @param metadataUrl the URL of the metadata of this API, if the API publishes it
 * @see RFC 6750 §3
 */
export function bearerChallenge(error: TokenError, realm: string, metadataUrl?: string): string {
  const parts = [`realm=${quoted(realm)}`]
  if (error.code !== 'not_authenticated') {
    parts.push(`error=${quoted(error.code)}`, `error_description=${quoted(error.message)}`)
  }

  const { scopes, maxAgeSeconds, acrValues } = error.shortfall
  if (scopes?.length) parts.push(`scope=${quoted(scopes.join(' '))}`)
  // RFC 9470 §3
  if (acrValues?.length) parts.push(`acr_values=${quoted(acrValues.join(' '))}`)
  if (maxAgeSeconds !== undefined) parts.push(`max_age=${quoted(String(maxAgeSeconds))}`)
  // RFC 9728 §5.1
  if (metadataUrl !== undefined) parts.push(`resource_metadata=${quoted(metadataUrl)}`)

  return `Bearer ${parts.join(', ')}`
}

/**
 * Quotes a value. Drops all characters but %x20-21 / %x23-5B / %x5D-7E (RFC 6750 §3), so a value
 * can neither end its quotation nor start another header.
 */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
}
