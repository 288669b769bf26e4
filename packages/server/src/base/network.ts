// Groups IP addresses for rate limits. Otherwise an attacker who has many IPv6 addresses could use
// a new address for each attempt.

/**
 * The first six groups of each IPv6 address that a NAT64 translator makes from an IPv4 address: the
 * prefix `64:ff9b::/96` (RFC 6052 §2.1).
 */
const translatedPrefix = [0x64, 0xff9b, 0, 0, 0, 0]

/**
 * Returns the network of an IP address, so that rate limits count all addresses of one Internet
 * customer together. For an IPv4 address, the network is the address itself. For an IPv6 address,
 * the network is its /64, because each customer gets at least one /64 (RFC 6177 §2) and can use
 * every address in it. If a NAT64 translator made the IPv6 address from an IPv4 address, the
 * network is this IPv4 address. Does NOT check that the string is an address.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address

  const groups = groupsOf(address.toLowerCase())
  const [high, low] = groups.slice(translatedPrefix.length)
  if (high !== undefined && low !== undefined && isTranslated(groups)) return ipv4Of(high, low)

  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`
}

/**
 * Returns the /48 of an IPv6 address, or undefined if `networkOf()` returns an IPv4 address. A
 * customer can have up to a /48, which is 65,536 networks of `networkOf()` (RFC 6177 §2).
 */
export function siteOf(address: string): string | undefined {
  const network = networkOf(address)
  return network.includes(':') ? network.replace(/:[^:]*::\/64/, '::/48') : undefined
}

/** Returns the eight groups of an IPv6 address, including the zeros that `::` leaves out. */
function groupsOf(address: string): readonly string[] {
  const [front = [], back] = address.replace(/%.*/, '').split('::').map(splitGroups)
  if (!back) return front

  const missing = 8 - front.length - back.length
  return [...front, ...Array.from({ length: missing }, () => '0'), ...back]
}

/** Splits a part of an IPv6 address into its groups. */
function splitGroups(part: string): readonly string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? hexGroupsOf(group) : [group]))
}

/** Returns the two groups that an IPv4 address at the end stands for (RFC 4291 §2.2). */
function hexGroupsOf(ipv4: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16))
}

/**
 * Whether a NAT64 translator made this IPv6 address from an IPv4 address.
 *
 * @param groups the eight groups of the IPv6 address
 */
function isTranslated(groups: readonly string[]): boolean {
  const front = groups.slice(0, translatedPrefix.length)
  return front.every((group, i) => Number.parseInt(group, 16) === translatedPrefix[i])
}

/** Returns the IPv4 address that the last two groups of an IPv6 address hold. */
function ipv4Of(high: string, low: string): string {
  const bytes = [high, low].flatMap((group) => {
    const bits = Number.parseInt(group, 16)
    return [bits >> 8, bits & 255]
  })
  return bytes.join('.')
}
