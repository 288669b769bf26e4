/** Where translators put the IPv4 addresses of those who come to an IPv6 server (RFC 6052 §2.1). */
const translated = [0x64, 0xff9b, 0, 0, 0, 0]

/**
 * Whose an IP address is, as far as it tells: an IPv6 address stands for its /64, which is the least that one customer gets
 * (RFC 6177 §2), and all of whose addresses he can use; one that a translator made of an IPv4 address stands for that. Does NOT
 * check that it is an address.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [front, back] = address.toLowerCase().replace(/%.*$/, '').split('::') as [string, string?]
  const groups = groupsOf(front)
  const last = groupsOf(back ?? '')
  const missing = 8 - groups.length - last.length
  const all = back === undefined ? groups : [...groups, ...Array.from({ length: missing }, () => '0'), ...last]
  if (translated.every((group, i) => Number.parseInt(all[i]!, 16) === group)) return ipv4Of(all[6]!, all[7]!)
  const prefix = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`
}

/** Two for an IPv4 address at the end (RFC 4291 §2.2), each the whole of it. */
function groupsOf(part: string): readonly string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? [group, group] : [group]))
}

function ipv4Of(high: string, low: string): string {
  if (low.includes('.')) return low
  const bytes = [high, low].flatMap((group) => {
    const bits = Number.parseInt(group, 16)
    return [bits >> 8, bits & 255]
  })
  return bytes.join('.')
}
