import type { HttpRequestWithBody } from 'keystile/internal'
import { readCookies } from '../../../http/cookies.ts'

/** The name of the cookie with the device secret. A logout does not remove this cookie. */
export const deviceCookieName = '__Secure-keystile-device'

/**
 * Returns the device secret in the cookies of a request. If several cookies have a device secret,
 * returns the first secret. A wrong secret has only one effect: Keystile treats the device as
 * unknown.
 */
export function readDeviceSecret(request: HttpRequestWithBody): string | undefined {
  return readCookies(request, deviceCookieName)[0]
}
