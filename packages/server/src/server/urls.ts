import { isIP } from 'node:net'

/** Whether the issuer names this machine, so that no network lies between it and its users. */
export function isOnThisMachine(issuer: string): boolean {
  return URL.canParse(issuer) && isLoopback(new URL(issuer).hostname)
}

export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

/** RFC 8414 §2: an https URL without query and fragment. Written in its one form, for it is compared as text. */
export function findIssuerFaults(issuer: string, allowHttp: boolean): readonly string[] {
  if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer))
    return ['is a URL such as https://auth.example or http://localhost:3000/auth']
  const url = new URL(issuer)
  const faults: string[] = []
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    faults.push('has no user, query or fragment (RFC 8414 §2)')
  else if (url.href.replace(/\/$/, '') !== issuer)
    faults.push(`is written ${url.href.replace(/\/$/, '')}: tokens are compared with it letter by letter`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowHttp) {
    faults.push(
      'is https: over http, passwords and tokens cross the network unprotected. Where something else protects them, set dangerouslyAllowHttpIssuer',
    )
  }
  return faults
}

/** An `Origin` is compared as text, so it is written as browsers send it. */
export function findOriginFaults(origin: string, allowHttp: boolean): readonly string[] {
  if (!/^https?:\/\/[^*]+$/.test(origin) || !URL.canParse(origin))
    return [`has "${origin}"; an origin is such as https://app.example or http://localhost:5173, without * and null`]
  const url = new URL(origin)
  if (url.origin !== origin) return [`has "${origin}", of which the origin is ${url.origin}: as browsers send it`]
  if (url.protocol === 'https:' || isLoopback(url.hostname) || allowHttp) return []
  return [
    `has "${origin}", which is not https: whoever is on the network between could be its page. Where something else protects it, set dangerouslyAllowHttpIssuer`,
  ]
}
