/**
 * Whether this runtime is Cloudflare Workers. As soon as a request is answered, Workers stop all
 * work that this request has started.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/context/
 */
export function endsWithRequest(): boolean {
  // Stryker disable next-line OptionalChaining: Node 20 has no navigator
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
