import type { Binding } from '../listener/server.ts'

export function isPort(port: unknown): boolean {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
}

/** `localhost` is both of its addresses. */
export function hostsOf(host: string): readonly string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
}

/** `on`, `off`, or `HOST:PORT`, where an IPv6 address is in brackets. */
export function readMetrics(value: unknown, faults: string[]): Binding | 'own' | undefined {
  if (value === 'on') return 'own'
  if (value === 'off') return undefined
  const [, host = '', port] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(String(value)) ?? []
  if (isPort(Number(port))) return { hosts: hostsOf(host.replace(/^\[(.*)\]$/, '$1')), port: Number(port) }
  faults.push('metrics is on, off, or a host and a port such as 127.0.0.1:9464')
  return undefined
}
