// The cookies of the pages. Their names begin with `__Host-`, so no sibling domain can set them
// (RFC 6265bis §4.1.3.2). Such a cookie goes to all paths of the host, so an issuer with a path has
// a part of its hash in the names: otherwise two issuers of one origin would share the cookies.
import { createHash } from 'node:crypto'
import type { HttpRequestWithBody } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import { readCookies } from '../../../http/cookies.ts'

export interface PageCookie {
  /** Returns the value; undefined if the browser sent none, or two. */
  read(request: CookieSender): string | undefined
  /** @param maxAgeSeconds undefined for a cookie that ends with the browser */
  set(value: string, maxAgeSeconds?: number): string
  readonly cleared: string
}

/**
 * What the browser keeps of a change that takes several pages: the secret of an app, the new
 * address that waits for its code, or the token of a link.
 */
export type KeptName = 'app' | 'address' | 'link'

type CookieSender = Pick<HttpRequestWithBody, 'headers'>

export interface PageCookies {
  /** The secret of the login of this browser. */
  readonly login: PageCookie
  /** What binds the forms of a login to this browser until the login ends. */
  readonly form: PageCookie
  /** The device secret. A log-out does not remove it. */
  readonly device: PageCookie
  /** What the person has just done: the next page says it. */
  readonly done: PageCookie
  /** The page of the account that the person wanted to open before the login: its name. */
  readonly wanted: PageCookie
  /** The registration that this browser has begun, for the page that takes its code. */
  readonly registration: PageCookie
  /** See `kept.ts` of features/pages/account-home. */
  readonly kept: Readonly<Record<KeptName, PageCookie>>
  /**
   * Returns what a form sends that works only with these cookies: not after the next login or
   * log-out, and not for the next person at the same browser, whose history has the form.
   *
   * @param form the value of the cookie `form`, if the answer sets it
   */
  formToken(request: CookieSender, form?: string): string
}

export function createPageCookies(issuer: string): PageCookies {
  const { pathname } = new URL(issuer)
  const suffix =
    pathname === '/' ? '' : `-${createHash('sha256').update(pathname).digest('hex').slice(0, 8)}`
  const cookie = (name: string): PageCookie => createPageCookie(`__Host-keystile-${name}${suffix}`)
  const [login, form, device] = [cookie('login'), cookie('form'), cookie('device')]
  return {
    login,
    form,
    device,
    done: cookie('done'),
    wanted: cookie('wanted'),
    registration: cookie('registration'),
    kept: { app: cookie('app'), address: cookie('address'), link: cookie('link') },
    formToken: (request, bound = form.read(request)) =>
      hashSecret(`form ${login.read(request) ?? ''} ${bound ?? ''}`),
  }
}

function createPageCookie(name: string): PageCookie {
  const common = 'Path=/; Secure; HttpOnly; SameSite=Lax'
  return {
    read(request) {
      const [value, another] = readCookies(request, name)
      return another === undefined && value !== '' ? value : undefined
    },
    set(value, maxAgeSeconds) {
      const age = maxAgeSeconds === undefined ? '' : `Max-Age=${maxAgeSeconds}; `
      return `${name}=${value}; ${age}${common}`
    },
    cleared: `${name}=; Max-Age=0; ${common}`,
  }
}
