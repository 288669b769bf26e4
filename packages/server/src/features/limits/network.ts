import { isIP } from 'node:net'

/**
 * Whom an address stands for: an IPv4 address for itself, an IPv6 address for its /64, which is what a household gets and may
 * take any address of.
 *
 * @see RFC 6177
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [text] = address.split('%') // the zone says by which interface, not who
  // The URL parser writes each address in one form, in hexadecimal (RFC 5952).
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail?.split(':').filter((group) => group !== '') ?? []
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
