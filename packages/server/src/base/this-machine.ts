import { isIP } from 'node:net'

/** Whether a URL names this machine, so that no network lies between it and its users. */
export function isOnThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** Whether a URL is http and names another machine: then others can read what is sent. */
export function isHttpElsewhere(url = ''): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'http:' && !isOnThisMachine(url)
}

export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return (
    address === 'localhost' ||
    address === '::1' ||
    (isIP(address) === 4 && address.startsWith('127.'))
  )
}
