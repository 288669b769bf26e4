/**
 * Whether everything that a request started ends with its answer, as in Cloudflare Workers.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/context/
 */
export function endsWithRequest(): boolean {
  // Stryker disable next-line OptionalChaining: Node 20 has no navigator
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
