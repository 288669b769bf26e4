/**
 * The `sid` of an access token: the session that it belongs to. Does NOT verify the token, which proves nothing to us: it is
 * our own.
 *
 * @returns `undefined` where the token is no JWT, or has none
 * @see RFC 7519 §3, RFC 7515 §2
 */
export function sidOf(accessToken: string): string | undefined {
  const [, payload = ''] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(accessToken) ?? []
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const { sid } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as { readonly sid?: unknown }
    return typeof sid === 'string' && sid !== '' ? sid : undefined
  } catch {
    return undefined
  }
}
