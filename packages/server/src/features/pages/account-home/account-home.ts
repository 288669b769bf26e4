// The page on which people see and change their account, in a browser that is logged in, and the
// pages to which it leads. `endpoints.ts` calls the endpoints, which do all the work: a page only
// shows what they answer.
//
// Against cross-site request forgery, each form must come from a page of this origin. It works only
// in the login for which it was drawn: the browser's history may have forms of an earlier person.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import type { Form } from '../../../http/form.ts'
import { createOriginCheck, isCausedElsewhere } from '../../../http/origin.ts'
import type { OpenRoute, Route } from '../../../http/route.ts'
import { generalFault } from '../account-pages/faults.ts'
import { formTokenName } from '../account-pages/field-names.ts'
import { describeBoundForm, pageRoute, readPageForm } from '../account-pages/page-route.ts'
import { usedCode } from '../login-pages/codes-page.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import type { LoginPageParts } from '../login-pages/login-parts.ts'
import { findSignedIn } from '../login-pages/signed-in.ts'
import type { AccountPage, Section } from './account-page.ts'
import { appPage } from './app-page.ts'
import { appRemovalPage } from './app-removal-page.ts'
import { deletionPage } from './deletion-page.ts'
import { devicesPage, otherDevicesPage } from './device-pages.ts'
import { emailPage, verificationPage } from './email-pages.ts'
import { findEndpoints, needsLogin, type EndpointCaller } from './endpoints.ts'
import { homePage } from './home-page.ts'
import { newAddressPage } from './new-address-page.ts'
import { openVisit, type VisitParts } from './open-visit.ts'
import { passwordPage } from './password-page.ts'
import { profilePage } from './profile-page.ts'
import { recoveryCodesPage } from './recovery-codes-page.ts'
import type { Done, Visit } from './visit.ts'

export interface AccountHomeParts<U>
  extends Omit<VisitParts<U>, 'endpoints'>, Pick<LoginPageParts<U>, 'issuer' | 'browserLogins'> {
  readonly endpoints: readonly Route<EndpointCaller<U>>[]
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
  const { issuer, settings, cookies } = parts
  const { base } = parts.pages.brand
  const endpoints = findEndpoints(parts.endpoints)
  const checkOrigin = createOriginCheck([new URL(issuer).origin])
  const isThere = (page: AccountPage): boolean =>
    endpoints.has(page.endpoint) && (page !== appPage || settings.offersApp)

  /**
   * Answers the person who uses the browser. Leads to the login if there is none, or if an endpoint
   * demands a newer or a stronger one, and from there to the page `name`.
   */
  async function answerPerson(
    request: HttpRequestWithBody,
    { section, name }: { readonly section: Section; readonly name?: string },
    answer: (visit: Visit) => Promise<HttpAnswer> | HttpAnswer,
  ): Promise<HttpAnswer> {
    const signedIn = await findSignedIn(request, parts)
    if (!signedIn) {
      // One click there deletes the account, so only a person who is logged in comes back to it.
      const wanted = name === deletionPage.name ? undefined : name
      return withCookies(seeOther(`${base}/login`), [wantedCookie(request, wanted)])
    }

    try {
      return await answer(openVisit(request, signedIn, { ...parts, endpoints }))
    } catch (error) {
      if (!needsLogin(error)) throw error
      const again = seeOther(`${base}/login/again?to=${section}`)
      return withCookies(again, [wantedCookie(request, name)])
    }
  }

  /**
   * Returns a value of `Set-Cookie` with the page to which a login leads. The cookie has only its
   * name, so a login leads to no other site. A page of another origin cannot choose it.
   */
  function wantedCookie(request: HttpRequestWithBody, name: string | undefined): string {
    const { wanted } = cookies
    if (name === undefined || isCausedElsewhere(request)) return wanted.cleared
    return wanted.set(name, wantedSeconds)
  }

  async function openHome(request: HttpRequestWithBody, visit: Visit): Promise<HttpAnswer> {
    const said = cookies.done.read(request)
    const done = doneOf(said, visit)
    const hasUsedCode = said === usedCode
    const page = await homePage(visit, { done, hasUsedCode })
    return done || hasUsedCode ? withCookies(page, [cookies.done.cleared]) : page
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
        answerPerson(request, { section: 'profile' }, (visit) => openHome(request, visit)),
    }),
    ...accountPages.filter(isThere).flatMap(routesOf),
  ]
}

const refuses = {
  403: 'A page: a value is wrong. Or the form does not come from a page of this origin',
}

/** As long as a login may take. */
const wantedSeconds = 10 * 60

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

/**
 * Returns what the person has done, by the value of the cookie. It is not in the query of the page,
 * because then a link could confirm a change that never happened.
 */
function doneOf(name: string = '', { reader }: Visit): Done | undefined {
  return Object.hasOwn(reader.texts.accountHome.done, name) ? (name as Done) : undefined
}
