import type { Clock, HttpRequestWithBody } from 'keystile/internal'
import { queryOf } from '../../../http/request.ts'
import { labelOf } from '../../users/directory/directory.ts'
import { readerOf } from '../account-pages/reader.ts'
import { endForms, loggedOut } from '../login-pages/login-cookies.ts'
import type { LoginPageParts } from '../login-pages/login-parts.ts'
import { replaceLogin } from '../login-pages/replace-login.ts'
import type { SignedIn } from '../login-pages/signed-in.ts'
import { ownEndpoints, type EndpointsByName } from './endpoints.ts'
import { keptBy, type KeepingParts } from './kept.ts'
import type { AccountSettings, Visit } from './visit.ts'

type Shared = 'pages' | 'login' | 'directory' | 'cookies' | 'lifetimes'

export interface VisitParts<U> extends Pick<LoginPageParts<U>, Shared> {
  readonly endpoints: EndpointsByName<U>
  readonly clock: Clock
  readonly settings: AccountSettings
  /** See `mustHaveFactor()` of features/sign-in/login/policy.ts. */
  readonly mustHaveFactor: (user: U) => boolean
  /** Finds the new address that a link in a mail confirms. Undefined without such links. */
  readonly newAddressOf:
    | ((token: string, subject: string) => Promise<string | undefined>)
    | undefined
  readonly seal: KeepingParts['seal']
}

/** Makes what each page of the account gets, from a request of a browser that is logged in. */
export function openVisit<U>(
  request: HttpRequestWithBody,
  signedIn: SignedIn<U>,
  parts: VisitParts<U>,
): Visit {
  const { session, user } = signedIn
  const { pages, cookies } = parts
  return {
    ...ownEndpoints(request, signedIn, parts),
    reader: { ...readerOf(request, pages), formToken: cookies.formToken(request) },
    now: parts.clock.now(),
    home: `${pages.brand.base}/account`,
    query: queryOf(request),
    say: (done) => cookies.done.set(done, doneSeconds),
    account: labelOf(user, parts.directory),
    loggedOut: (answer) => loggedOut(answer, cookies),
    newAddressOf: async (token) => parts.newAddressOf?.(token, session.subject),
    kept: keptBy(request, signedIn, parts),
    endForms: () => endForms(cookies),
    hasFactor: session.amr?.includes('mfa') ?? false,
    needsFactor: parts.mustHaveFactor(user),
    replaceLogin: () => replaceLogin(request, signedIn, parts),
    settings: parts.settings,
  }
}

/** Long enough to save recovery codes before the page of the account is opened. */
const doneSeconds = 10 * 60
