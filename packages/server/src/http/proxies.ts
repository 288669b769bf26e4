import { BlockList, isIP } from 'node:net'
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'

/** The proxies whose word on an address is taken. */
export interface Proxies {
  isTrusted(address: string): boolean
  /** The same request, sent from where the trusted proxies say that it came from. */
  resolve(request: HttpRequestWithBody): HttpRequestWithBody
}

/** What is wrong with an address or a range of proxies, as a sentence without its subject, or nothing. */
export function findProxyFault(text: string): string | undefined {
  const range = parseRange(text)
  if (!range) return 'is no address such as 10.0.0.7 and no range such as 10.0.0.0/8 or fd00::/8'
  return range.prefix === 0
    ? 'is everybody, and everybody could then claim to be anybody: name the proxies alone'
    : undefined
}

/**
 * `X-Forwarded-For` is read from its right end, where the nearest proxy has written: the address is the first that is none of
 * the trusted proxies. What stands left of it is the sender's word. At an entry that is no address the walk stops, at the
 * proxy that wrote it.
 *
 * @param ranges in which `findProxyFault` finds no fault
 */
export function createProxies(ranges: readonly string[]): Proxies {
  const trusted = new BlockList()
  for (const text of ranges) {
    const range = parseRange(text)
    if (!range) throw new TypeError('a trusted proxy must be an address or a range')
    const { address, prefix, family } = range
    trusted.addSubnet(address, prefix, family)
  }
  const isTrusted = (address: string): boolean => ranges.length > 0 && trusted.check(address, familyOf(address))
  return {
    isTrusted,
    resolve(request) {
      let address = parseAddress(request.remoteAddress ?? '')
      if (address === undefined || !isTrusted(address)) return request
      const entries = (request.headers.get('x-forwarded-for') ?? '').split(',')
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

/** Lets all that lies behind see the address that `proxies` find. */
export function withResolvedAddress(
  answer: (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined>,
  proxies: Proxies,
): (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined> {
  return (request) => answer(proxies.resolve(request))
}

interface Range {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

function parseRange(text: string): Range | undefined {
  const [, written = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(written)
  if (address === undefined) return undefined
  const family = familyOf(address)
  const bits = family === 'ipv4' ? 32 : 128
  // The first 96 bits of IPv4 in IPv6 say that it is that (RFC 4291 §2.5.5.2).
  const mappingBits = family === familyOf(written) ? 0 : 96
  const prefix = length === undefined ? bits : Number(length) - mappingBits
  return prefix >= 0 && prefix <= bits ? { address, prefix, family } : undefined
}

function familyOf(address: string): Range['family'] {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** One entry of the header: an address, also with a port, and IPv6 also in brackets. */
function parseEntry(entry: string): string | undefined {
  const text = entry.replace(/^[ \t]+|[ \t]+$/g, '')
  const inBrackets = /^\[([^\]]+:[^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  const beforePort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1]
  return parseAddress(inBrackets ?? beforePort ?? text)
}

/** An address in its one form; IPv4 that is mapped into IPv6 is IPv4. An address with a zone is none that a proxy would tell. */
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
