import { isIP } from 'node:net'
import type { HttpRequestWithBody } from 'keystile/internal'

/**
 * Returns the IP address of the peer; undefined if it is unknown. A socket that accepts both IPv4
 * and IPv6 reports `::ffff:192.0.2.1` for `192.0.2.1`; the function returns the short form.
 */
export function addressOf({
  remoteAddress,
}: Pick<HttpRequestWithBody, 'remoteAddress'>): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1')
  return address !== undefined && isIP(address) !== 0 ? address : undefined
}
