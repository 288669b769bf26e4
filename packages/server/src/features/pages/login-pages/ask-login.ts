// Asks the login for a browser, and gives the browser its cookie. The login itself, with its
// limits, is in features/sign-in/login.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Form } from '../../../http/form.ts'
import { seeOther } from '../../../http/route.ts'
import { senderOf } from '../../operations/audit/by.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { AskedLogin } from '../../sign-in/login/attempt.ts'
import type { FinishedLogin } from '../../sign-in/login/finish.ts'
import type { LoginOutcome, PresentedValues } from '../../sign-in/login/login.ts'
import { isWrongFactor, type RefusalReason } from '../../sign-in/login/methods/method.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { countPageLogin } from '../../tokens/oauth/count-grant.ts'
import { setUpLoginSeconds } from '../../users/accounts/login-age.ts'
import { generalFault } from '../account-pages/faults.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { codesPage, usedCode } from './codes-page.ts'
import { endLogin, loginCookies, withCookies } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'
import type { SignedIn } from './signed-in.ts'
import type { StepFault } from './step-form.ts'

/** A form of a page, from the browser that got this page. */
export interface SentForm {
  readonly request: HttpRequestWithBody
  readonly form: Form
  readonly reader: PageReader
  /** The value of the cookie `form`, to which the attempt is bound. */
  readonly formSecret: string
}

/** The step that a form sends: what it proves, and the login to which it belongs. */
export interface SentStep extends Pick<
  AskedLogin,
  'passwordOf' | 'demand' | 'replaces' | 'remembersDevice'
> {
  readonly values: PresentedValues
  readonly authSession?: string
  /** The part of the account that the person wanted to see. */
  readonly to?: string | undefined
}

export interface TriedLogin {
  readonly outcome?: LoginOutcome
  readonly fault?: StepFault
  /** The answer to a browser that is logged in now. */
  readonly welcomed?: HttpAnswer
}

/** Asks the login, and says what a refusal means in the language of the reader. */
export async function tryLogin<U>(
  step: SentStep,
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<TriedLogin> {
  try {
    const { outcome, secret } = await ask(step, sent, parts)
    countPageLogin(parts.meter, outcome)
    if (outcome.outcome === 'granted') {
      const welcomed = await welcome({ ...outcome, secret, to: step.to }, sent, parts)
      const byCode = step.values['recovery_code'] !== undefined
      const said = byCode ? [parts.cookies.done.set(usedCode, usedSeconds)] : []
      return { welcomed: withCookies(welcomed, said) }
    }
    if (outcome.outcome !== 'refused') return { outcome }
    return { fault: { text: faultTextOf(outcome.reason, sent.reader) } }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    countPageLogin(parts.meter, error)
    return { fault: { ...generalFault(error, sent.reader), error } }
  }
}

/** Long enough to load the page of the account, which says it. */
const usedSeconds = 60

export interface NextStep extends Pick<TriedLogin, 'fault'> {
  readonly outcome?: LoginOutcome | undefined
}

/** Asks what a login needs now. This proves nothing. */
export async function askNext<U>(
  step: SentStep,
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<NextStep> {
  try {
    const { outcome } = await ask(step, sent, parts)
    return { outcome }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return { fault: { ...generalFault(error, sent.reader), error } }
  }
}

async function ask<U>(
  { values, authSession, passwordOf, demand, replaces, remembersDevice }: SentStep,
  { request, formSecret }: SentForm,
  { login, cookies }: LoginPageParts<U>,
): Promise<{ readonly outcome: LoginOutcome; readonly secret: string }> {
  const secret = makeSecret()
  const begun = { front: `pages ${hashSecret(formSecret)}`, authSession, demand, replaces }
  const asked = { ...begun, passwordOf, remembersDevice, ...senderIn(request, secret, cookies) }
  const outcome = await login.proceed(asked, values)
  return { outcome, secret }
}

type Sender = Pick<AskedLogin, 'client' | 'scopes' | 'device' | 'deviceSecret' | 'browserId'>

function senderIn(request: HttpRequestWithBody, secret: string, cookies: PageCookies): Sender {
  return {
    client: firstParty,
    scopes: [],
    device: request.headers.get('user-agent') ?? undefined,
    ...senderOf(request),
    deviceSecret: cookies.device.read(request),
    browserId: hashSecret(secret),
  }
}

/**
 * Replaces the login of a browser, after a first app was set up in it. Returns the cookies of the
 * new login; none if the person must log in.
 */
export async function replaceLogin<U>(
  request: HttpRequestWithBody,
  { session: { id, scopes } }: SignedIn<U>,
  { login, ...parts }: Pick<LoginPageParts<U>, 'login' | 'cookies' | 'lifetimes'>,
): Promise<readonly string[]> {
  const secret = makeSecret()
  const done = await login.stepUpWithNewApp({
    front: 'pages',
    authSession: undefined,
    demand: { needsFactor: true, maxAgeSeconds: setUpLoginSeconds },
    replaces: { id, scopes },
    ...senderIn(request, secret, parts.cookies),
  })
  return done ? loginCookies({ ...done, secret }, parts) : []
}

/** Gives the browser its login. An earlier login of the browser ends. */
async function welcome<U>(
  done: FinishedLogin & { readonly secret: string; readonly to: string | undefined },
  { request, reader, form }: SentForm,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  await endLogin(request, parts)
  const { wanted } = parts.cookies
  const { to, recoveryCodes: codes } = done
  const name = accountName(wanted.read(request))
  const part = name === undefined ? to && `#${to}` : `/${name}`
  const next = `${reader.brand.base}/account${part ?? ''}`
  const account = form.get('account') ?? ''
  const answer = codes ? codesPage(reader, { codes, account, next }) : seeOther(next)
  const forgotten = name === undefined ? [] : [wanted.cleared]
  return withCookies(answer, [...loginCookies(done, parts), ...forgotten])
}

/** Returns the name of a part or a page of the account; undefined for anything else. */
export function accountName(text: string | null | undefined): string | undefined {
  return text && /^[a-z-]{1,20}$/.test(text) ? text : undefined
}

function faultTextOf(
  reason: RefusalReason,
  { texts: { loginPage: texts, faults } }: PageReader,
): string {
  if (!isWrongFactor(reason)) return texts.wrong
  if (reason === 'wrong_email_code') return faults.wrongCode
  return reason === 'wrong_recovery_code' ? texts.wrongRecoveryCode : texts.wrongCode
}
