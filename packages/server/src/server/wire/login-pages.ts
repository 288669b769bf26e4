import type { Caller } from 'keystile'
import { createBrowserLogins } from '../../features/sign-in/browser-login/browser-logins.ts'
import { createPageCookies } from '../../features/sign-in/browser-login/cookie.ts'
import { accountHomeRoutes } from '../../features/pages/account-home/account-home.ts'
import { profileFieldsOf } from '../../features/pages/account-pages/profile-fields.ts'
import { loginPageRoutes } from '../../features/pages/login-pages/login-pages.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import { describeProfile } from '../../features/users/accounts/profile.ts'
import type { OpenRoute, Route } from '../../http/route.ts'
import type { IssuingParts } from './issuing.ts'
import type { LoginWired } from './login.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

interface LoginPagesWiring<U>
  extends Pick<IssuingParts, 'ends' | 'lifetimes'>, Pick<LoginWired<U>, 'login' | 'offersApp'> {
  /** The endpoints that the pages of an account call. */
  readonly endpoints: readonly Route<Caller<string, U>>[]
}

/** Makes the pages on which browsers log in, and those of an account, unless they are off. */
export function wireLoginPages<U>(
  { options, accounts: { database }, meter, pages, passwordPolicy }: Parts,
  people: Pick<People<U>, 'directory' | 'registration'>,
  { login, offersApp, endpoints, ends, lifetimes }: LoginPagesWiring<U>,
): readonly OpenRoute[] {
  const { issuer, clock, loginPages, rememberFactorDays, accountPagesUrl, profile } = options
  if (loginPages === 'off') return []
  const { directory } = people
  const fields = describeProfile(profile, 'input')
  const { minLength } = passwordPolicy
  const registration = options.registration === 'open' ? people.registration : undefined
  const shared = {
    pages,
    issuer,
    login,
    directory,
    browserLogins: createBrowserLogins(database, { lifetimes, clock }),
    cookies: createPageCookies(issuer),
  }
  return [
    ...loginPageRoutes({
      ...shared,
      lifetimes,
      ends,
      meter,
      rememberFactorDays,
      offers: {
        forgotPassword: hasMail(options) && accountPagesUrl === undefined,
        registration: registration !== undefined,
      },
      registration: registration && {
        ...registration,
        profile: profileFieldsOf(fields),
        minLength,
      },
    }),
    ...accountHomeRoutes({
      ...shared,
      endpoints,
      clock,
      settings: {
        profile: profileFieldsOf(fields, 'all'),
        minLength,
        offersApp,
      },
    }),
  ]
}
