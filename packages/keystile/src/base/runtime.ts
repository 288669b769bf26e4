/**
 * Whether the runtime stops all work that a request has started when the request is answered, as
 * Cloudflare Workers do.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/context/
 */
export function endsWithRequest(): boolean {
  // Stryker disable next-line OptionalChaining: Node 20 has no navigator
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
