import { isIP } from 'node:net'

/**
 * Whether a URL points to this machine. If so, requests to this URL cross no network. Does NOT
 * resolve names: `localhost` is the only name of this machine that the function recognizes.
 */
export function isOnThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/**
 * Whether a URL is http and points to another machine. If so, anyone on the network between the
 * machines can read passwords and tokens.
 */
export function isHttpElsewhere(url = ''): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'http:' && !isOnThisMachine(url)
}

/**
 * Whether a host is this machine: `localhost`, `::1` or an address in 127.0.0.0/8, which may be
 * mapped into IPv6.
 */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, '')
  return (
    address === 'localhost' ||
    address === '::1' ||
    (isIP(address) === 4 && address.startsWith('127.'))
  )
}
