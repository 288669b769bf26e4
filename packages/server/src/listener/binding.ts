/** Where to listen. */
export interface Binding {
  /** Each is listened on; of several, those that this machine does not have are left out. */
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

/** Returns the binding that `HOST:PORT` names, with an IPv6 address in brackets; `undefined` for another text. */
export function parseBinding(text: string): Binding | undefined {
  const [, host = '', port] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? []
  return isPort(Number(port)) ? { hosts: hostsOf(host.replace(/^\[(.*)\]$/, '$1')), port: Number(port) } : undefined
}
