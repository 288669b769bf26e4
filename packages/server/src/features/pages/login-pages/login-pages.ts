// The pages at which a browser logs in: name and password, the second factor, and the set-up of a
// factor that the account must have. `ask-login.ts` asks the login, and `step-pages.ts` draws what
// it says. `signed-in.ts` finds who uses a browser.
//
// Against cross-site request forgery, each form must come from a page of this origin, and an
// attempt is bound to the cookie `form` of the browser that began it. The history of a browser
// keeps the forms that it sent, with the passwords, so a form works only until the next login or
// log-out.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { makeSecret } from '../../../base/secret.ts'
import type { Form } from '../../../http/form.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import { queryOf, seeOther, type OpenRoute } from '../../../http/route.ts'
import type { LoginOutcome, PresentedValues } from '../../sign-in/login/login.ts'
import { recentLoginSeconds } from '../../users/accounts/route-parts.ts'
import { labelOf } from '../../users/directory/directory.ts'
import { formTokenName } from '../account-pages/field-names.ts'
import { describeBoundForm, pageRoute, readPageForm } from '../account-pages/page-route.ts'
import { readerOf, type PageReader } from '../account-pages/reader.ts'
import {
  askNext,
  endLogin,
  loggedOut,
  tryLogin,
  withCookies,
  type LoginPageParts,
  type NextStep,
  type SentForm,
  type SentStep,
} from './ask-login.ts'
import { cookiesOffPage, expiredPage, loggedOutPage, logoutPage } from './end-pages.ts'
import { keptRegistration } from './kept-registration.ts'
import { registrationRoutes } from './registration.ts'
import { shownMethods, type ShownMethod } from './second-steps.ts'
import { findSignedIn, type SignedIn } from './signed-in.ts'
import type { PageFault } from './step-form.ts'
import { againPage, loginPage, stepPage, type Step } from './step-pages.ts'

export function loginPageRoutes<U>(parts: LoginPageParts<U>): readonly OpenRoute[] {
  const checkOrigin = createOriginCheck([new URL(parts.issuer).origin])
  const receive =
    (
      handle: (sent: SentForm, given: LoginPageParts<U>) => Promise<HttpAnswer>,
    ): OpenRoute['handle'] =>
    async (request) => {
      checkOrigin(request)
      const form = await readPageForm(request)
      const reader = readerOf(request, parts.pages)
      const bound = parts.cookies.form.read(request)
      if (bound === undefined) return cookiesOffPage(reader)
      const formToken = parts.cookies.formToken(request)
      const sent = { request, form, reader: { ...reader, formToken }, bound }
      return form.get(formTokenName) === formToken ? handle(sent, parts) : endedPage(sent, parts)
    }
  const open = (
    request: HttpRequestWithBody,
    draw: (reader: PageReader) => HttpAnswer,
  ): Promise<HttpAnswer> => openSignedOut(request, draw, parts)
  const refuses = { 403: 'The form must come from a page of this origin' }
  const { base } = parts.pages.brand
  const laterFields = ['attempt', 'account', 'show', 'remember', ...laterNames]

  return [
    pageRoute('GET', '/login', 'Log in', {
      handle: (request) => open(request, (reader) => beginLogin(request, reader, parts)),
    }),
    pageRoute('POST', '/login', 'Prove the password', {
      ...describeBoundForm(firstNames, refuses),
      handle: receive(proveFirst),
    }),
    // A browser that opens the address of this step has no attempt: it is not in the address.
    pageRoute('GET', '/login/factor', 'Log in from the start', {
      handle: () => seeOther(`${base}/login`),
    }),
    pageRoute('POST', '/login/factor', 'Prove or set up the second factor', {
      ...describeBoundForm(laterFields, refuses),
      handle: receive(proveLater),
    }),
    pageRoute('GET', '/login/again', 'Log in again', {
      query: { to: { type: 'string' } },
      handle: (request) => openAgain(request, parts),
    }),
    pageRoute('POST', '/login/again', 'Prove once more who one is', {
      ...describeBoundForm(['to', 'show', 'password', ...laterNames], refuses),
      handle: receive(proveAgain),
    }),
    ...(parts.registration
      ? registrationRoutes(parts.registration, {
          cookies: parts.cookies,
          open,
          receive,
          logIn: (sent) => proveFirst(sent, parts),
        })
      : []),
    pageRoute('GET', '/logout', 'Log out', {
      // A browser without a login has logged out, or nothing is left to do.
      handle: async (request) =>
        (await findSignedIn(request, parts))
          ? openBound(request, logoutPage, parts)
          : loggedOutPage(readerOf(request, parts.pages)),
    }),
    pageRoute('POST', '/logout', 'End the login of this browser', {
      ...describeBoundForm([], refuses),
      async handle(request) {
        checkOrigin(request)
        const form = await readPageForm(request)
        const isCurrent = form.get(formTokenName) === parts.cookies.formToken(request)
        if (!isCurrent && (await findSignedIn(request, parts))) return seeOther(`${base}/account`)

        const done = seeOther(`${base}/logout`)
        if (!isCurrent) return done

        await endLogin(request, parts)
        return loggedOut(done, parts.cookies)
      },
    }),
  ]
}

const firstNames = ['username', 'password']
const laterNames = [...shownMethods, 'email_code', 'enrol']

/** Shows a page for people who are not logged in. */
async function openSignedOut<U>(
  request: HttpRequestWithBody,
  draw: (reader: PageReader) => HttpAnswer,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  if (await findSignedIn(request, parts)) return seeOther(`${parts.pages.brand.base}/account`)
  return openBound(request, draw, parts)
}

/** Shows a page, and binds its forms to the cookies of this browser. */
function openBound<U>(
  request: HttpRequestWithBody,
  draw: (reader: PageReader) => HttpAnswer,
  { pages, cookies }: LoginPageParts<U>,
): HttpAnswer {
  const known = cookies.form.read(request)
  const bound = known ?? makeSecret()
  const formToken = cookies.formToken(request, bound)
  const answer = draw({ ...readerOf(request, pages), formToken })
  return known === undefined ? withCookies(answer, [cookies.form.set(bound)]) : answer
}

/** Shows the page of a login, with what has happened in this browser before. */
function beginLogin<U>(
  request: HttpRequestWithBody,
  reader: PageReader,
  { offers, cookies }: LoginPageParts<U>,
): HttpAnswer {
  const hasEnded = cookies.login.read(request) !== undefined
  const kept = keptRegistration(request, cookies)
  if (!kept || !('isDone' in kept)) return loginPage(reader, offers, { hasEnded })
  const { heading, text } = reader.texts.finish.done
  const shown = { username: kept.username, done: `${heading}. ${text}` }
  return withCookies(loginPage(reader, offers, shown), [cookies.registration.cleared])
}

async function proveFirst<U>(sent: SentForm, parts: LoginPageParts<U>): Promise<HttpAnswer> {
  const { username, ...typed } = valuesOf(sent.form, firstNames)
  // Keyboards of phones add a space after a word. No name of a user begins or ends with one.
  const values = { ...typed, username: filled(username?.trim()) }
  if (Object.values(values).includes(undefined)) {
    const fault = { text: sent.reader.texts.loginPage.wrong }
    return loginPage(sent.reader, parts.offers, { username: values['username'], fault })
  }

  const { outcome, fault, welcomed } = await tryLogin({ values }, sent, parts)
  if (welcomed) return welcomed
  const shown = { account: values['username'], shownMethod: 'otp' } as const
  const step = outcome && stepOf(outcome, shown, sent.form, parts)
  if (step) return stepPage(sent.reader, step)
  return fault
    ? loginPage(sent.reader, parts.offers, { username: values['username'], fault })
    : expiredPage(sent.reader)
}

async function proveLater<U>(sent: SentForm, parts: LoginPageParts<U>): Promise<HttpAnswer> {
  const { form, reader } = sent
  const authSession = filled(form.get('attempt'))
  if (authSession === undefined) return endedPage(sent, parts)

  const values = valuesOf(form, laterNames)
  const tried = { values, authSession, remembersDevice: form.has('remember') }
  const { outcome, fault, welcomed } = await tryLogin(tried, sent, parts)
  if (welcomed) return welcomed
  const enrol = values['otp'] === undefined ? undefined : 'totp'
  const next: NextStep = fault
    ? await askNext({ values: { enrol }, authSession }, sent, parts)
    : { outcome }
  const account = filled(form.get('account'))
  const shown = { account, shownMethod: shownMethodOf(form), typed: form.get('recovery_code') }
  const step = next.outcome && stepOf(next.outcome, shown, form, parts)
  // A browser that loads the page of the app again sends the code of the mail again.
  const isAgain = step?.outcome === 'enrol' && !step.needsEmailCode && enrol === undefined
  if (step) return stepPage(reader, step, isAgain && !fault?.error ? undefined : fault)
  return endedPage(sent, parts, next.fault ?? fault)
}

/** The login is over, or the form. If another window is logged in, leads to the account. */
async function endedPage<U>(
  { request, reader }: SentForm,
  parts: LoginPageParts<U>,
  fault?: PageFault,
): Promise<HttpAnswer> {
  if (await findSignedIn(request, parts)) return seeOther(`${reader.brand.base}/account`)
  return expiredPage(reader, fault)
}

/** Returns the method that a person has chosen: what the form switches to, or what it proves. */
function shownMethodOf(form: Form): ShownMethod {
  const show = form.get('show')
  return shownMethods.find((name) => show === name || form.has(name)) ?? shownMethods[0]
}

/** Returns what the person does next; undefined if the login is over. */
function stepOf(
  outcome: LoginOutcome,
  shown: Pick<Step, 'account' | 'shownMethod' | 'typed'>,
  form: Form,
  { rememberFactorDays: days }: Pick<LoginPageParts<unknown>, 'rememberFactorDays'>,
): Step | undefined {
  if (outcome.outcome === 'enrol') return { ...outcome, ...shown }
  if (outcome.outcome !== 'next' || outcome.authSession === undefined) return undefined
  const { authSession, methods } = outcome
  const remember = days > 0 ? { days, isTicked: form.has('remember') } : undefined
  return { outcome: 'next', authSession, methods, remember, ...shown }
}

/** Shows what a person who is logged in must prove again, before a change that needs it. */
async function openAgain<U>(
  request: HttpRequestWithBody,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  const signedIn = await findSignedIn(request, parts)
  if (!signedIn) return seeOther(`${parts.pages.brand.base}/login`)
  const to = sectionOf(queryOf(request).get('to'))
  const reader = readerOf(request, parts.pages)
  const sent = { request, form: new Map(), reader, bound: makeSecret() }
  const { outcome, fault } = await askNext(stepUpOf(signedIn, {}), sent, parts)
  if (fault) return expiredPage(reader, fault)
  if (outcome?.outcome !== 'next') return seeOther(`${parts.pages.brand.base}/account`)
  const { methods } = outcome
  const account = labelOf(signedIn.user, parts.directory)
  const shown = { account, methods, shownMethod: shownMethods[0], to }
  return openBound(request, (bound) => againPage(bound, shown), parts)
}

async function proveAgain<U>(sent: SentForm, parts: LoginPageParts<U>): Promise<HttpAnswer> {
  const { request, form, reader } = sent
  const signedIn = await findSignedIn(request, parts)
  if (!signedIn) return seeOther(`${reader.brand.base}/login`)

  const account = labelOf(signedIn.user, parts.directory)
  const { password, ...factors } = valuesOf(form, ['password', ...laterNames])
  const values = { ...factors, ...(password !== undefined && { username: account, password }) }
  const to = sectionOf(form.get('to'))
  const begun = { ...stepUpOf(signedIn, values), to }
  const { outcome, fault, welcomed } = await tryLogin(begun, sent, parts)
  if (welcomed) return welcomed
  const step = outcome && stepOf(outcome, { account, shownMethod: 'otp' }, form, parts)
  if (step) return stepPage(reader, step)

  const next: NextStep = fault ? await askNext({ ...begun, values: {} }, sent, parts) : { outcome }
  if (next.outcome?.outcome !== 'next') return expiredPage(reader, next.fault ?? fault)
  const { methods } = next.outcome
  const typed = form.get('recovery_code')
  const shown = { account, methods, shownMethod: shownMethodOf(form), typed, to }
  return againPage(reader, shown, fault)
}

/** The session of the browser stands for what it has proved, and a new one replaces it. */
function stepUpOf<U>({ session }: SignedIn<U>, values: PresentedValues): SentStep {
  return {
    values,
    passwordOf: session.subject,
    replaces: { id: session.id, scopes: session.scopes },
    demand: { needsFactor: false, maxAgeSeconds: recentLoginSeconds },
  }
}

/** Returns the name of a part of the account; undefined for anything else. */
function sectionOf(to: string | null | undefined): string | undefined {
  return to && /^[a-z-]{1,20}$/.test(to) ? to : undefined
}

function valuesOf(form: Form, names: readonly string[]): PresentedValues {
  return Object.fromEntries(names.map((name) => [name, filled(form.get(name))]))
}

/** Returns a value, or undefined if it is empty: an empty field counts as missing. */
function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
