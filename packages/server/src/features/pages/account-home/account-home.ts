// The page on which people see and change their account, in a browser that is logged in, and the
// pages to which it leads. `endpoints.ts` calls the endpoints, which do all the work: a page only
// shows what they answer.
//
// Against cross-site request forgery, each form must come from a page of this origin. It works only
// in the login for which it was drawn: the browser's history may have forms of an earlier person.
import {
  ProblemError,
  type Clock,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { createOriginCheck, isCausedElsewhere } from '../../../http/origin.ts'
import { queryOf, seeOther, type OpenRoute, type Route } from '../../../http/route.ts'
import { labelOf } from '../../users/directory/directory.ts'
import { generalFault } from '../account-pages/faults.ts'
import { formTokenName } from '../account-pages/field-names.ts'
import { describeBoundForm, pageRoute, readPageForm } from '../account-pages/page-route.ts'
import { readerOf } from '../account-pages/reader.ts'
import { replaceLogin } from '../login-pages/ask-login.ts'
import { usedCode } from '../login-pages/codes-page.ts'
import { endForms, loggedOut, withCookies } from '../login-pages/login-cookies.ts'
import type { LoginPageParts } from '../login-pages/login-parts.ts'
import { findSignedIn, type SignedIn } from '../login-pages/signed-in.ts'
import type { AccountPage } from './account-page.ts'
import { appPage } from './app-page.ts'
import { deletionPage } from './deletion-page.ts'
import { devicesPage, otherDevicesPage } from './device-pages.ts'
import { emailPage, verificationPage } from './email-pages.ts'
import { findEndpoints, needsLogin, ownEndpoints, type EndpointCaller } from './endpoints.ts'
import { appRemovalPage, recoveryCodesPage } from './factor-pages.ts'
import { homePage } from './home-page.ts'
import { keptBy, type KeepingParts } from './kept.ts'
import { newAddressPage } from './new-address-page.ts'
import { passwordPage } from './password-page.ts'
import { profilePage } from './profile-page.ts'
import type { AccountSettings, Done, Visit } from './visit.ts'

type Shared = 'pages' | 'issuer' | 'login' | 'directory' | 'browserLogins' | 'cookies' | 'lifetimes'

export interface AccountHomeParts<U> extends Pick<LoginPageParts<U>, Shared> {
  readonly endpoints: readonly Route<EndpointCaller<U>>[]
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

const accountPages: readonly AccountPage[] = [
  profilePage,
  emailPage,
  newAddressPage,
  verificationPage,
  passwordPage,
  appPage,
  appRemovalPage,
  recoveryCodesPage,
  devicesPage,
  otherDevicesPage,
  deletionPage,
]

export function accountHomeRoutes<U>(parts: AccountHomeParts<U>): readonly OpenRoute[] {
  const { issuer, settings } = parts
  const { base } = parts.pages.brand
  const endpoints = findEndpoints(parts.endpoints)
  const isThere = (page: AccountPage): boolean =>
    endpoints.has(page.endpoint) && (page !== appPage || settings.offersApp)
  const checkOrigin = createOriginCheck([new URL(issuer).origin])

  /**
   * Answers the person who uses the browser. Without one, leads to the login, and from there to the
   * page. Only its name is in the cookie, so a login leads to no other site. No page of another
   * origin chooses this page. A first login does not lead to the deletion, where one click deletes;
   * only the person who is logged in, and logs in once more for it, comes back there.
   */
  async function answerPerson(
    request: HttpRequestWithBody,
    { section, name }: Pick<AccountPage, 'section'> & { readonly name?: string },
    answer: (visit: Visit) => Promise<HttpAnswer> | HttpAnswer,
  ): Promise<HttpAnswer> {
    const { wanted } = parts.cookies
    const rememberIf = (may: boolean): string =>
      name !== undefined && may && !isCausedElsewhere(request)
        ? wanted.set(name, wantedSeconds)
        : wanted.cleared
    const signedIn = await findSignedIn(request, parts)
    if (!signedIn)
      return withCookies(seeOther(`${base}/login`), [rememberIf(name !== deletionPage.name)])

    try {
      return await answer(visitOf(request, signedIn, { ...parts, endpoints }))
    } catch (error) {
      if (needsLogin(error))
        return withCookies(seeOther(`${base}/login/again?to=${section}`), [rememberIf(true)])
      throw error
    }
  }

  const routesOf = (page: AccountPage): readonly OpenRoute[] => [
    pageRoute('GET', `/account/${page.name}`, page.summaries[0], {
      handle: (request) =>
        answerPerson(request, page, (visit) => {
          visit.admit(page.admits?.(visit) ?? page.endpoint)
          return page.show(visit)
        }),
    }),
    pageRoute('POST', `/account/${page.name}`, page.summaries[1], {
      ...describeBoundForm(page.fieldNames, refuses),
      async handle(request) {
        checkOrigin(request)
        const form = await readPageForm(request)
        return answerPerson(request, page, async (visit) => {
          if (form.get(formTokenName) === visit.reader.formToken) return submit(page, visit, form)
          return (await page.answerStale?.(visit, form)) ?? seeOther(visit.home)
        })
      },
    }),
  ]

  return [
    pageRoute('GET', '/account', 'Your account', {
      handle: (request) =>
        answerPerson(request, { section: 'profile' }, async (visit) => {
          const { done: cookie } = parts.cookies
          const said = cookie.read(request)
          const done = doneOf(said, visit)
          const hasUsedCode = said === usedCode
          const page = await homePage(visit, { done, hasUsedCode })
          return done || hasUsedCode ? withCookies(page, [cookie.cleared]) : page
        }),
    }),
    ...accountPages.filter(isThere).flatMap(routesOf),
  ]
}

const refuses = {
  403: 'A page: a value is wrong. Or the form does not come from a page of this origin',
}

function visitOf<U>(
  request: HttpRequestWithBody,
  signedIn: SignedIn<U>,
  parts: Omit<AccountHomeParts<U>, 'endpoints'> & {
    readonly endpoints: ReturnType<typeof findEndpoints<U>>
  },
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

async function submit(page: AccountPage, visit: Visit, form: Form): Promise<HttpAnswer> {
  try {
    const outcome = await page.submit(visit, form)
    return typeof outcome === 'string'
      ? withCookies(seeOther(visit.home), [visit.say(outcome)])
      : outcome
  } catch (error) {
    if (!(error instanceof ProblemError) || needsLogin(error)) throw error

    // What a page has shown may be gone, such as a session that ended in another window.
    const fault = error.status === 404 ? 'home' : page.faultOf(error, visit, form)
    if (fault === 'home') return seeOther(visit.home)
    const refused = { error, ...(fault ?? generalFault(error, visit.reader)) }
    return page.show(visit, { form, refused })
  }
}

/** As long as a login may take. */
const wantedSeconds = 10 * 60

/** Long enough to save recovery codes before the page of the account is opened. */
const doneSeconds = 10 * 60

/**
 * Returns what the person has done, by the value of the cookie. It is not in the query of the page,
 * because then a link could confirm a change that never happened.
 */
function doneOf(name: string = '', { reader }: Visit): Done | undefined {
  return Object.hasOwn(reader.texts.accountHome.done, name) ? (name as Done) : undefined
}
