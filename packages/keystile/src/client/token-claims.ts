/**
 * Returns the `sid` of an access token: the session that the token belongs to. Returns `undefined`
 * if the token is not a JWT or has no `sid`.
 *
 * Does NOT verify the token. The client received the token from the issuer itself, and the client
 * does not decide about access.
 */
export function sidOf(accessToken: string): string | undefined {
  return claimOf(accessToken, 'sid')
}

/** Returns the `sub` of an access token: its user. Works like `sidOf`. */
export function subOf(accessToken: string): string | undefined {
  return claimOf(accessToken, 'sub')
}

/** @see RFC 7519 §3, RFC 7515 §2 */
function claimOf(accessToken: string, name: 'sid' | 'sub'): string | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(accessToken)?.[1]
  if (payload === undefined) return undefined
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    const value = (claims as Readonly<Record<string, unknown>>)[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  } catch {
    // Not a JWT with a JSON object.
  }
  return undefined
}
