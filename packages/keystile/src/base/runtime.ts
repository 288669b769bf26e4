/**
 * Whether this runtime is Cloudflare Workers. As soon as a request is answered, Workers stop all
 * work that this request has started.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/context/
 */
export function endsWithRequest(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
