import { createBrowserLogins } from '../../features/sign-in/browser-login/browser-logins.ts'
import { createPageCookies } from '../../features/sign-in/browser-login/cookie.ts'
import { loginPageRoutes } from '../../features/pages/login-pages/login-pages.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import type { Login } from '../../features/sign-in/login/login.ts'
import type { OpenRoute } from '../../http/route.ts'
import type { IssuingParts } from './issuing.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

/** Makes the pages on which browsers log in. There are none with the setting `off`. */
export function wireLoginPages<U>(
  { options, accounts: { database }, meter, pages }: Parts,
  { directory }: Pick<People<U>, 'directory'>,
  { login, ends, lifetimes }: Pick<IssuingParts, 'ends' | 'lifetimes'> & { readonly login: Login },
): readonly OpenRoute[] {
  const { issuer, clock, loginPages, accountPagesUrl } = options
  if (loginPages === 'off') return []
  return loginPageRoutes({
    pages,
    issuer,
    login,
    directory,
    browserLogins: createBrowserLogins(database, { lifetimes, clock }),
    cookies: createPageCookies(issuer),
    lifetimes,
    ends,
    meter,
    offers: { forgotPassword: hasMail(options) && accountPagesUrl === undefined },
  })
}
