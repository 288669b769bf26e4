import type { HttpRequestWithBody } from 'keystile/internal'
import { isLoopback } from '../base/this-machine.ts'

/** The headers in which a proxy tells who sent the request. */
const forwardingHeaders = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]

/**
 * Whether a process of this machine sent the request. False if the platform does not know the
 * address, or if a proxy passed the request on: its sender may be elsewhere.
 */
export function isFromThisMachine({ remoteAddress = '', headers }: HttpRequestWithBody): boolean {
  return isLoopback(remoteAddress) && !forwardingHeaders.some((name) => headers.get(name))
}

/**
 * Whether the sender addressed this machine by one of its own names.
 *
 * A site that a developer visits can let its name point to this machine (DNS rebinding). The
 * browser then regards this server as part of the site, and lets it read the answers. But the
 * header `Host` still has the name of the site.
 */
export function isHostThisMachine({ headers, url }: HttpRequestWithBody): boolean {
  // A web `Request` that an app has made itself has only the URL.
  const host = headers.get('host') ?? (URL.canParse(url) ? new URL(url).host : '')
  // `URL` is too lenient here: it also accepts `x@localhost` and `localhost/x`.
  const name = /^([a-z\d.]+|\[::1\])(?::\d{1,5})?$/i.exec(host)?.[1] ?? ''
  return isLoopback(name.toLowerCase())
}
