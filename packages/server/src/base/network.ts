/** The prefix of IPv4 addresses that a translator wrote as IPv6 (RFC 6052 §2.1). */
const translatedPrefix = [0x64, 0xff9b, 0, 0, 0, 0]

/**
 * Returns the network of one customer, to which an IP address belongs. An IPv6 address stands for
 * its /64: that is the least that a customer gets (RFC 6177 §2), who can use every address in it.
 * An IPv6 address that a translator made stands for its IPv4 address. Does NOT check that the text
 * is an address.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address

  const groups = groupsOf(address.toLowerCase())
  const [high, low] = groups.slice(translatedPrefix.length)
  if (high !== undefined && low !== undefined && isTranslated(groups)) return ipv4Of(high, low)

  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`
}

/** The eight groups of an IPv6 address, with the zeros that `::` leaves out. */
function groupsOf(address: string): readonly string[] {
  const [front = [], back] = address.replace(/%.*$/, '').split('::').map(splitGroups)
  if (!back) return front

  const missing = 8 - front.length - back.length
  return [...front, ...Array.from({ length: missing }, () => '0'), ...back]
}

/** An IPv4 address at the end (RFC 4291 §2.2) counts as two groups, each the whole of it. */
function splitGroups(part: string): readonly string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? [group, group] : [group]))
}

function isTranslated(groups: readonly string[]): boolean {
  const front = groups.slice(0, translatedPrefix.length)
  return front.every((group, i) => Number.parseInt(group, 16) === translatedPrefix[i])
}

function ipv4Of(high: string, low: string): string {
  if (low.includes('.')) return low

  const bytes = [high, low].flatMap((group) => {
    const bits = Number.parseInt(group, 16)
    return [bits >> 8, bits & 255]
  })
  return bytes.join('.')
}
