// The steps of a login: name and password, then the second factor, or its set-up.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import type { PresentedValues } from '../../sign-in/login/login.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { askNext, tryLogin, type NextStep, type SentForm } from './ask-login.ts'
import { endedPage } from './bound-forms.ts'
import { expiredPage } from './end-pages.ts'
import { firstStepPage } from './first-step-page.ts'
import { readKeptRegistration } from './kept-registration.ts'
import { withCookies } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'
import type { StepFault } from './step-form.ts'
import { stepPage } from './step-pages.ts'
import { filled, firstNames, laterNames, shownMethodOf, stepOf, valuesOf } from './step-values.ts'

/** Shows the page of a login, with what has happened in this browser before. */
export function beginLogin<U>(
  request: HttpRequestWithBody,
  reader: PageReader,
  { offers, cookies }: LoginPageParts<U>,
): HttpAnswer {
  const hasEnded = cookies.login.read(request) !== undefined
  const kept = readKeptRegistration(request, cookies)
  if (!kept || !('isDone' in kept)) return firstStepPage(reader, offers, { hasEnded })
  const shown = { username: kept.username, done: reader.texts.register.ready }
  return withCookies(firstStepPage(reader, offers, shown), [cookies.registration.cleared])
}

export async function proveFirstStep<U>(
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  const { form, reader } = sent
  const { username: typed, password } = valuesOf(form, firstNames)
  // Keyboards of phones add a space after a word. No name of a user begins or ends with one.
  const username = filled(typed?.trim())
  if (username === undefined || password === undefined) {
    const fault = { text: reader.texts.loginPage.wrong }
    return firstStepPage(reader, parts.offers, { username, fault })
  }

  const values = { username, password }
  const { outcome, fault, welcomed } = await tryLogin({ values }, sent, parts)
  if (welcomed) return welcomed
  const step = stepOf(outcome, { account: username, shownMethod: 'otp' }, form, parts)
  if (step) return stepPage(reader, step)
  return fault ? firstStepPage(reader, parts.offers, { username, fault }) : expiredPage(reader)
}

export async function proveLaterStep<U>(
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
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
  const step = stepOf(next.outcome, shown, form, parts)
  if (!step) return endedPage(sent, parts, endedBy(values, fault, next.fault, reader))

  // A browser that loads the page of the app again sends the code of the mail again.
  const isAgain = step.outcome === 'enrol' && !step.needsEmailCode && enrol === undefined
  return stepPage(reader, step, isAgain && !fault?.error ? undefined : fault)
}

/** Says why a login ended. It ends after several wrong codes. */
function endedBy(
  { otp, recovery_code: recovery, email_code: ofMail }: PresentedValues,
  fault: StepFault | undefined,
  nextFault: StepFault | undefined,
  { texts: { loginPage } }: PageReader,
): StepFault | undefined {
  const isOfCode = [otp, recovery, ofMail].some((value) => value !== undefined)
  if (nextFault || !fault || fault.error || !isOfCode) return nextFault ?? fault

  const { text, newest } = loginPage.wrongCodes
  return { isOfCode, text: otp === undefined ? text : `${text} ${newest}` }
}
