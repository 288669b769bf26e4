// What the pages of a login are made from. The pages of the account take a part of it.
import type { Meter } from '../../../feature/metric.ts'
import type { BrowserLogins } from '../../sign-in/browser-login/browser-logins.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { Login } from '../../sign-in/login/login.ts'
import type { Lifetimes } from '../../tokens/sessions/lifetimes.ts'
import type { SessionEnds } from '../../tokens/sessions/session-ends.ts'
import type { Directory } from '../../users/directory/directory.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import type { Offers } from './first-step-page.ts'
import type { RegistrationParts } from './registration-parts.ts'

export interface LoginPageParts<U> {
  readonly pages: PageSettings
  readonly issuer: string
  readonly login: Login
  readonly directory: Directory<U>
  readonly browserLogins: BrowserLogins
  readonly cookies: PageCookies
  readonly lifetimes: Pick<Lifetimes, 'sessionSeconds'>
  readonly ends: Pick<SessionEnds, 'end'>
  readonly meter: Meter
  readonly offers: Offers
  /** For how many days a person may choose to be asked for no factor. 0: never. */
  readonly rememberFactorDays: number
  /** Undefined if people cannot register. */
  readonly registration: RegistrationParts | undefined
}
