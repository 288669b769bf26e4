import { isIP } from 'node:net'

/** Whether the issuer names this machine, so that no network lies between it and its users. */
export function isOnThisMachine(issuer: string): boolean {
  return URL.canParse(issuer) && isLoopback(new URL(issuer).hostname)
}

export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}
