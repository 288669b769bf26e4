import type { HttpRequestWithBody } from 'keystile/internal'
import { deviceSeconds } from '../known-devices/devices.ts'

/**
 * The cookie with the refresh token. A browser takes a cookie of this prefix only over TLS or from
 * itself, and only with `Secure` (RFC 6265bis §4.1.3.1).
 */
export const cookieName = '__Secure-keystile'
/** The cookie with the device secret. It stays after a logout. */
const deviceCookieName = `${cookieName}-device`

/** The cookies of one issuer. Values to set are values of `Set-Cookie`. */
export interface SessionCookies {
  /** Sets the refresh token, and the device secret where there is one. */
  set(refreshToken: string, deviceSecret: string | undefined): readonly string[]
  /** Removes the refresh token. */
  readonly cleared: readonly string[]
}

/**
 * @param options.path where the browser sends the cookies
 * @param options.maxAgeSeconds how long the browser keeps the refresh token
 */
export function createSessionCookies({
  path,
  maxAgeSeconds,
}: {
  readonly path: string
  readonly maxAgeSeconds: number
}): SessionCookies {
  const attributes = `Path=${path}; Secure; HttpOnly; SameSite=Strict`
  const cookie = (name: string, value: string, seconds: number): string =>
    `${name}=${value}; Max-Age=${seconds}; ${attributes}`

  return {
    set(refreshToken, deviceSecret) {
      const session = cookie(cookieName, refreshToken, maxAgeSeconds)
      return deviceSecret === undefined
        ? [session]
        : [session, cookie(deviceCookieName, deviceSecret, deviceSeconds)]
    },
    cleared: [cookie(cookieName, '', 0)],
  }
}

/** All refresh tokens that a request has. Only one of them can be ours. */
export function readRefreshTokens(request: HttpRequestWithBody): readonly string[] {
  return readCookies(request, cookieName)
}

export function readDeviceSecret(request: HttpRequestWithBody): string | undefined {
  return readCookies(request, deviceCookieName)[0]
}

/**
 * The values of the cookies of a name as they were sent, neither unquoted nor decoded. The owner of
 * a sibling domain can set one beside ours (cookie tossing).
 *
 * @see RFC 6265 §4.2.1 §8.6
 */
function readCookies({ headers }: HttpRequestWithBody, name: string): readonly string[] {
  const pairs = headers.get('cookie')?.split(';') ?? []
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
