import { isLoopback } from '../../../base/this-machine.ts'
import { howToEncodePassword } from '../../../base/url-password.ts'

/** Where mails go: to the page `/dev/mail`, or to a mail server. */
export type MailServer =
  | { readonly kind: 'console' }
  | {
      readonly kind: 'smtp'
      readonly host: string
      readonly port: number
      /** Whether the connection starts with TLS (`smtps:`, RFC 8314 §3.3). */
      readonly isSecure: boolean
      /**
       * Whether the client must refuse to log in and to send mails over a connection without TLS.
       */
      readonly requiresTls: boolean
      readonly login: Login | undefined
    }

interface Login {
  readonly user: string
  readonly password: string
}

export const mailUrlExample = 'smtp://user:password@mail.example.com:587'

const mustBeUrl = `must be console:, or a URL such as ${mailUrlExample}; ${howToEncodePassword}`

/**
 * Parses the URL of a mail server. The default port is 587 for `smtp:` (RFC 6409 §3.1) and 465 for
 * `smtps:`. A connection to another machine must use TLS. With `smtp:`, it switches to TLS by
 * STARTTLS (RFC 3207). `?tls=off` allows a connection without TLS to a server that needs no
 * password.
 *
 * @throws {TypeError} with a message such as "must have no path and no fragment", which never
 *   contains the URL
 */
export function parseMailUrl(text: string): MailServer {
  if (text === 'console:') return { kind: 'console' }
  if (!URL.canParse(text)) throw new TypeError(mustBeUrl)

  const url = new URL(text)
  const isSecure = url.protocol === 'smtps:'
  if ((url.protocol !== 'smtp:' && !isSecure) || url.hostname === '') throw new TypeError(mustBeUrl)
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '')
    throw new TypeError(`must have no path and no fragment; ${howToEncodePassword}`)

  const isTlsOff = url.search === '?tls=off' && !isSecure
  if (url.search !== '' && !isTlsOff)
    throw new TypeError(
      `must have no query except ?tls=off, which only a smtp: URL may have; ${howToEncodePassword}`,
    )

  const login = loginOf(url)
  const host = url.hostname.replaceAll(/[[\]]/g, '') // an IPv6 address is in brackets
  if (isTlsOff && login && !isLoopback(host))
    throw new TypeError(
      'must not have ?tls=off together with a password: others could read the password',
    )

  const defaultPort = isSecure ? 465 : 587
  return {
    kind: 'smtp',
    host,
    port: url.port === '' ? defaultPort : Number(url.port),
    isSecure,
    requiresTls: !isTlsOff && !isLoopback(host),
    login,
  }
}

/** Like `parseMailUrl`, but returns undefined if the URL is not valid. */
export function readMailUrl(text: string): MailServer | undefined {
  try {
    return parseMailUrl(text)
  } catch {
    return undefined
  }
}

function loginOf(url: URL): Login | undefined {
  if (url.username === '' && url.password === '') return undefined
  try {
    const [user, password] = [url.username, url.password].map(decodeURIComponent)
    if (user && password) return { user, password }
  } catch {
    // A `%` without two hexadecimal digits.
  }
  throw new TypeError(`must have both a user and a password, or neither; ${howToEncodePassword}`)
}
