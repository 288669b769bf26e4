/** Where to listen. */
export interface Binding {
  /**
   * The server listens on each. Of several, it leaves out those that this machine does not have.
   */
  readonly hosts: readonly string[]
  readonly port: number
}

function isPort(port: unknown): boolean {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
}

/** The addresses of a host: `localhost` has two. */
export function hostsOf(host: string): readonly string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
}

/** Parses `HOST:PORT`, with an IPv6 address in brackets. Undefined for another text. */
export function parseBinding(text: string): Binding | undefined {
  const [, host, digits] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || !isPort(port)) return undefined

  return { hosts: hostsOf(host.replace(/^\[(.*)\]$/, '$1')), port }
}
