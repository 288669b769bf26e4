// Asks the login for a browser, and says what a refusal means in the language of the reader. The
// login itself, with its limits, is in features/sign-in/login.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Form } from '../../../http/form.ts'
import { senderOf } from '../../operations/audit/by.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { AskedLogin } from '../../sign-in/login/attempt.ts'
import type { LoginOutcome, PresentedValues } from '../../sign-in/login/login.ts'
import { isWrongFactor, type RefusalReason } from '../../sign-in/login/methods/method.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { countPageLogin } from '../../tokens/oauth/count-grant.ts'
import { generalFault } from '../account-pages/faults.ts'
import type { PageReader } from '../account-pages/reader.ts'
import type { LoginPageParts } from './login-parts.ts'
import type { StepFault } from './step-form.ts'
import { welcome } from './welcome.ts'

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

/** `loggedIn`: `answer` gives the browser its login. */
export type TriedStep = { readonly kind: 'loggedIn'; readonly answer: HttpAnswer } | NextStep

/** `open`: the login has answered, perhaps with what to prove next. */
export type NextStep =
  | { readonly kind: 'open'; readonly outcome: LoginOutcome }
  | { readonly kind: 'refused'; readonly fault: StepFault }

/** Asks the login with what a person proves. */
export async function tryLogin<U>(
  step: SentStep,
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<TriedStep> {
  try {
    const { outcome, secret } = await ask(step, sent, parts)
    countPageLogin(parts.meter, outcome)
    if (outcome.outcome === 'granted') {
      const hasUsedCode = step.values['recovery_code'] !== undefined
      const login = { ...outcome, secret, to: step.to, hasUsedCode }
      return { kind: 'loggedIn', answer: await welcome(login, sent, parts) }
    }
    if (outcome.outcome !== 'refused') return { kind: 'open', outcome }
    const text = wrongText(outcome.reason, sent.reader)
    return { kind: 'refused', fault: { kind: 'wrong', text } }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    countPageLogin(parts.meter, error)
    return refusedBy(error, sent)
  }
}

/** Asks what a login needs now. This proves nothing. */
export async function askNext<U>(
  step: SentStep,
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<NextStep> {
  try {
    const { outcome } = await ask(step, sent, parts)
    return { kind: 'open', outcome }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return refusedBy(error, sent)
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

/** Returns who asks for a login. @param secret the value of the cookie of the new login */
export function senderIn(
  request: HttpRequestWithBody,
  secret: string,
  cookies: PageCookies,
): Sender {
  return {
    client: firstParty,
    scopes: [],
    device: request.headers.get('user-agent') ?? undefined,
    ...senderOf(request),
    deviceSecret: cookies.device.read(request),
    browserId: hashSecret(secret),
  }
}

function refusedBy(error: ProblemError, { reader }: SentForm): NextStep {
  return { kind: 'refused', fault: { kind: 'refused', error, ...generalFault(error, reader) } }
}

/** Says which value was wrong. For a name and a password, does not say which of them. */
function wrongText(
  reason: RefusalReason,
  { texts: { loginPage: texts, faults } }: PageReader,
): string {
  if (!isWrongFactor(reason)) return texts.wrong
  if (reason === 'wrong_email_code') return faults.wrongCode
  return reason === 'wrong_recovery_code' ? texts.wrongRecoveryCode : texts.wrongCode
}
