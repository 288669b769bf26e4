// What a browser keeps of its registration from one page to the next, in a cookie. So each page has
// an address that Back and Reload open again, and the id of the registration is in none of them: it
// stands for the person who has registered. The cookie is not encrypted: the person has typed what
// it has, and the id is useless without the code of the mail.
import { parseJsonObject, type HttpRequestWithBody } from 'keystile/internal'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'

type Cookies = Pick<PageCookies, 'registration'>

/** A registration whose mail is on its way, or one that has become an account. */
export type KeptRegistration =
  | { readonly id: string; readonly email: string; readonly username: string }
  | { readonly isDone: true; readonly username: string | undefined }

/** Long enough to look for the mail. Afterwards, its link still works. */
const codeSeconds = 60 * 60
/** Long enough to load the next page. */
const doneSeconds = 60

/** Returns a value of `Set-Cookie`. */
export function registrationCookie(registration: KeptRegistration, cookies: Cookies): string {
  const value = Buffer.from(JSON.stringify(registration)).toString('base64url')
  return cookies.registration.set(value, 'isDone' in registration ? doneSeconds : codeSeconds)
}

export function readKeptRegistration(
  request: Pick<HttpRequestWithBody, 'headers'>,
  cookies: Cookies,
): KeptRegistration | undefined {
  const value = cookies.registration.read(request) ?? ''
  try {
    const { id, email, isDone, ...kept } = parseJsonObject(Buffer.from(value, 'base64url'))
    const username = typeof kept['username'] === 'string' ? kept['username'] : undefined
    if (isDone === true) return { isDone, username }
    if (typeof id !== 'string' || typeof email !== 'string') return undefined
    return { id, email, username: username ?? '' }
  } catch {
    return undefined
  }
}
