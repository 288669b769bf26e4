/**
 * Whose an IP address is, as far as it tells: an IPv6 address stands for its /64, which is the least that one customer gets
 * (RFC 6177 §2), and all of whose addresses he can use. Does NOT check that it is an address.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [front, back] = address.toLowerCase().replace(/%.*$/, '').split('::') as [string, string?]
  const groups = groupsOf(front)
  const last = groupsOf(back ?? '')
  const missing = 8 - groups.length - last.length
  const all = back === undefined ? groups : [...groups, ...Array.from({ length: missing }, () => '0'), ...last]
  const prefix = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`
}

/** Two for an IPv4 address at the end (RFC 4291 §2.2), whose bits are none of the first 64. */
function groupsOf(part: string): readonly string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? [group, group] : [group]))
}
