/** Where a server listens. */
export interface Binding {
  /**
   * The hosts on which the server listens. The server skips a host that this machine does not have,
   * such as `::1` if IPv6 is off. The machine must have at least one of the hosts.
   */
  readonly hosts: readonly string[]
  readonly port: number
}

/** Returns the addresses to listen on for a host. `localhost` has two: IPv4 and IPv6. */
export function hostsOf(host: string): readonly string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
}

/** Parses `HOST:PORT`, with an IPv6 address in brackets. Returns undefined for any other string. */
export function parseBinding(text: string): Binding | undefined {
  const [, host, digits] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) return undefined

  return { hosts: hostsOf(host.replace(/^\[(.*)\]$/, '$1')), port }
}
