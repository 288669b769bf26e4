import type { Caller } from 'keystile'
import { createSeal } from '../../base/seal.ts'
import { accountHomeRoutes } from '../../features/pages/account-home/account-home.ts'
import { profileFieldsOf } from '../../features/pages/account-pages/profile-fields.ts'
import { wellKnownRoute } from '../../features/pages/account-pages/well-known-change-password.ts'
import { loginPageRoutes } from '../../features/pages/login-pages/login-pages.ts'
import { createBrowserLogins } from '../../features/sign-in/browser-login/browser-logins.ts'
import { createPageCookies } from '../../features/sign-in/browser-login/page-cookies.ts'
import { mustHaveFactor } from '../../features/sign-in/login/policy.ts'
import { openValueSecrets } from '../../features/tokens/signing-keys/sealing-secrets.ts'
import { describeProfile } from '../../features/users/accounts/described-profile.ts'
import type { OpenRoute, Route } from '../../http/route.ts'
import type { Brand } from '../../pages/brand.ts'
import type { IssuingParts } from './issuing.ts'
import type { LoginWired } from './login.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

/** The page below `/account` that sends a link for a new password. */
const forgotName = 'forgot-password'

interface LoginPagesWiring<U>
  extends
    Pick<IssuingParts, 'ends' | 'lifetimes'>,
    Pick<LoginWired<U>, 'login' | 'offersApp' | 'service'> {
  /** The endpoints that the pages of an account call. */
  readonly endpoints: readonly Route<Caller<string, U>>[]
}

/**
 * Makes the pages on which browsers log in, and those of an account. The setting `off` leaves them
 * out. Also makes the address at which password managers find the page for a new password.
 */
export function wireLoginPages<U>(
  { options, accounts: { database }, meter, pages, passwordPolicy }: Parts,
  people: Pick<People<U>, 'directory' | 'registration' | 'newAddressOf'>,
  { login, offersApp, service, endpoints, ends, lifetimes }: LoginPagesWiring<U>,
): readonly OpenRoute[] {
  const { issuer, clock, loginPages, rememberFactorDays, profile, secondFactor } = options
  const has = (method: string, path: string): boolean =>
    endpoints.some((route) => route.method === method && route.path === path)
  const registration = options.registration === 'open' ? people.registration : undefined
  const offers = {
    forgotPassword: has('GET', `/account/${forgotName}`),
    registration: registration !== undefined,
  }
  const hasPasswordPage = loginPages === 'on' && has('POST', '/users/me/password')
  const changePassword = findChangePassword({ ...offers, hasPasswordPage }, pages.brand)
  if (loginPages === 'off') return changePassword

  const { directory } = people
  const fields = describeProfile(profile, 'input')
  const { minLength } = passwordPolicy
  const shared = {
    pages,
    issuer,
    login,
    directory,
    browserLogins: createBrowserLogins(database, { lifetimes, clock }),
    cookies: createPageCookies(issuer),
    lifetimes,
  }
  return [
    ...changePassword,
    ...loginPageRoutes({
      ...shared,
      ends,
      meter,
      rememberFactorDays,
      offers,
      registration: registration && {
        ...registration,
        loginSendsMail: secondFactor === 'required',
        profile: profileFieldsOf(fields),
        minLength,
      },
    }),
    ...accountHomeRoutes({
      ...shared,
      endpoints,
      clock,
      newAddressOf: people.newAddressOf,
      mustHaveFactor: (user) => mustHaveFactor(user, { directory, secondFactor }),
      seal: createSeal(openValueSecrets(options), 'account pages'),
      settings: {
        profile: profileFieldsOf(fields, 'all'),
        minLength,
        offersApp,
        remembersDevices: rememberFactorDays > 0,
        service,
      },
    }),
  ]
}

/**
 * Lists the address that leads to the page for a new password: the page of the account, or the one
 * that sends a link. Empty if there is neither.
 */
function findChangePassword(
  {
    hasPasswordPage,
    forgotPassword,
  }: { readonly hasPasswordPage: boolean; readonly forgotPassword: boolean },
  brand: Brand,
): readonly OpenRoute[] {
  if (hasPasswordPage) return [wellKnownRoute('password', brand)]
  return forgotPassword ? [wellKnownRoute(forgotName, brand)] : []
}
