import { OAuthError, type HttpRequestWithBody } from 'keystile/internal'
import { readCookies } from '../../../http/cookies.ts'
import { deviceCookieName } from '../known-devices/device-cookie.ts'
import { deviceSeconds } from '../known-devices/devices.ts'

/**
 * The name of the cookie with the refresh token. A browser accepts a cookie whose name begins with
 * `__Secure-` only if the cookie has the attribute `Secure` and comes over TLS or from this
 * machine. So an attacker on the network cannot set the cookie over http (RFC 6265bis §4.1.3.1).
 */
export const cookieName = '__Secure-keystile'

export interface SessionCookies {
  /** Returns the cookies that store the refresh token, and the device secret if there is one. */
  set(refreshToken: string, deviceSecret: string | undefined): readonly string[]
  /** The cookie that removes the refresh token from the browser. */
  readonly cleared: readonly string[]
}

/**
 * Returns the `Path` of the cookies, which ends with `/session`. A browser sends the cookies to
 * this path and to all paths below it.
 */
export function cookiePathOf(issuer: string): string {
  return `${basePathOf(issuer)}/session`
}

function basePathOf(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}

/**
 * Creates the cookies of an issuer. Scripts cannot read them (`HttpOnly`). A browser sends them
 * only over TLS (`Secure`), only with requests of the same site (`SameSite=Strict`), and only to
 * `/session` and the paths below it. The device secret also goes to `/account`, where the page for
 * a forgotten password reads it.
 *
 * @param options.maxAgeSeconds how long the browser keeps the refresh token
 */
export function createSessionCookies({
  issuer,
  maxAgeSeconds,
}: {
  readonly issuer: string
  readonly maxAgeSeconds: number
}): SessionCookies {
  const path = cookiePathOf(issuer)
  const cookie = (name: string, value: string, seconds: number, at = path): string =>
    `${name}=${value}; Max-Age=${seconds}; Path=${at}; Secure; HttpOnly; SameSite=Strict`

  return {
    set(refreshToken, deviceSecret) {
      const session = cookie(cookieName, refreshToken, maxAgeSeconds)
      if (deviceSecret === undefined) return [session]

      const devices = [path, `${basePathOf(issuer)}/account`].map((at) =>
        cookie(deviceCookieName, deviceSecret, deviceSeconds, at),
      )
      return [session, ...devices]
    },
    cleared: [cookie(cookieName, '', 0)],
  }
}

/** Each token costs a query of the database. */
const maxTokens = 10

/**
 * Returns the refresh tokens of all session cookies of a request. Keystile sets only one session
 * cookie in a browser. If a request has several session cookies, a different server has set the
 * other cookies.
 *
 * @throws {OAuthError} `invalid_request` if there are more than ten
 */
export function readRefreshTokens(request: HttpRequestWithBody): readonly string[] {
  const tokens = readCookies(request, cookieName)
  if (tokens.length <= maxTokens) return tokens
  const message = `The request must have at most ${maxTokens} cookies ${cookieName}`
  throw new OAuthError('invalid_request', message)
}

/**
 * Returns the refresh token of the cookie; undefined without a cookie. If there are two, the server
 * cannot know which of them it has set. So it refuses, and clears none: if it cleared its own, the
 * browser would then send only the cookie that an attacker on a sibling domain has set.
 *
 * @throws {OAuthError} `invalid_grant` if there are two
 */
export function readOnlyRefreshToken(request: HttpRequestWithBody): string | undefined {
  const [token, another] = readRefreshTokens(request)
  if (another !== undefined)
    throw new OAuthError('invalid_grant', `The request must have one cookie ${cookieName}, not two`)
  return token
}
