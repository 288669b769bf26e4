import { BlockList, isIP } from 'node:net'
import type { HttpRequestWithBody } from 'keystile/internal'

/** The longest entry of `X-Forwarded-For` that is read. An address with a port has up to 53. */
const maxEntryLength = 64

/** The name of a proxy that connects over a UNIX socket. nginx uses the same name. */
const unixPeer = 'unix:'

/** The trusted proxies: their `X-Forwarded-For` gives the address of the client. */
export interface Proxies {
  isTrusted(address: string): boolean
  /** Returns the request with the client's address instead of the proxy's. */
  resolve(request: HttpRequestWithBody): HttpRequestWithBody
}

/**
 * Returns the reason why an address or a range must not be trusted, as a sentence without a
 * subject, such as "is the whole Internet". Returns undefined if it may be trusted.
 */
export function findProxyFault(text: string): string | undefined {
  if (text === unixPeer) return undefined

  const range = parseRange(text)
  if (!range)
    return (
      'is not an address such as 10.0.0.7, a range such as 10.0.0.0/8 or fd00::/8, ' +
      'or "unix:" for a UNIX socket'
    )

  return range.prefix === 0
    ? 'is the whole Internet: every client could then claim any address. List only your proxies'
    : undefined
}

/**
 * Creates the trusted proxies. `resolve` reads `X-Forwarded-For` from right to left, because each
 * proxy adds its entry at the right end. The client is the first address that is not a trusted
 * proxy. Entries to the left of this address are ignored: the client can write anything there to
 * evade rate limits. If an entry is not an address, the search ends, and the proxy that wrote this
 * entry counts as the client.
 *
 * @param ranges addresses, ranges and `unix:`, as `findProxyFault` accepts them
 */
export function createProxies(ranges: readonly string[]): Proxies {
  const trusted = new BlockList()
  for (const text of ranges) {
    if (text === unixPeer) continue
    const range = parseRange(text)
    if (!range) throw new TypeError('a trusted proxy must be an address or a range')

    const { address, prefix, family } = range
    trusted.addSubnet(address, prefix, family)
  }

  const isTrusted = (address: string): boolean =>
    address === unixPeer
      ? ranges.includes(unixPeer)
      : ranges.length > 0 && trusted.check(address, familyOf(address))

  return {
    isTrusted,
    resolve(request) {
      const { remoteAddress, headers } = request
      if (remoteAddress === undefined) return request

      let address = remoteAddress === unixPeer ? unixPeer : parseAddress(remoteAddress)
      if (address === undefined || !isTrusted(address)) return request

      const entries = headers.get('x-forwarded-for')?.split(',') ?? []
      for (const entry of entries.toReversed()) {
        const before = parseEntry(entry)
        if (before === undefined) break
        address = before
        if (!isTrusted(address)) break
      }
      return { ...request, remoteAddress: address }
    },
  }
}

interface Range {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

function parseRange(text: string): Range | undefined {
  const [, written, length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = written === undefined ? undefined : parseAddress(written)
  if (written === undefined || address === undefined) return undefined

  const family = familyOf(address)
  const bits = family === 'ipv4' ? 32 : 128
  // In an IPv6 address that contains a mapped IPv4 address, the first 96 bits only say that it is
  // mapped (RFC 4291 §2.5.5.2).
  const mappingBits = family === familyOf(written) ? 0 : 96
  const prefix = length === undefined ? bits : Number(length) - mappingBits
  return prefix >= 0 && prefix <= bits ? { address, prefix, family } : undefined
}

function familyOf(address: string): Range['family'] {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/**
 * Parses an entry of `X-Forwarded-For`: an address that may be followed by a port. An IPv6 address
 * may be in brackets.
 */
function parseEntry(entry: string): string | undefined {
  // The time of the patterns below grows with the square of the length.
  if (entry.length > maxEntryLength) return undefined

  const text = entry.trim()
  const inBrackets = /^\[([^\]]+:[^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  const beforePort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1]
  return parseAddress(inBrackets ?? beforePort ?? text)
}

/**
 * Returns an address in its canonical form, so that different spellings of one address become
 * equal. An IPv4 address that is mapped into IPv6 becomes IPv4. Returns undefined if the text is
 * not an address, or if it has a zone (`%eth0`), which proxies never write.
 */
function parseAddress(text: string): string | undefined {
  const version = isIP(text)
  if (version === 4) return text
  if (version === 0 || text.includes('%')) return undefined

  const address = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address)
  if (!mapped) return address

  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
