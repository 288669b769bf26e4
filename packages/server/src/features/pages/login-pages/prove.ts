// The steps of a login: name and password, then the second factor, or its set-up.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import type { PresentedValues } from '../../sign-in/login/login.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { askNext, tryLogin, type SentForm } from './ask-login.ts'
import { endedPage } from './bound-forms.ts'
import { expiredPage, refusedPage, wrongCodesPage } from './end-pages.ts'
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
    const fault = { kind: 'wrong', text: reader.texts.loginPage.wrong } as const
    return firstStepPage(reader, parts.offers, { username, fault })
  }

  const values = { username, password }
  const tried = await tryLogin({ values }, sent, parts)
  if (tried.kind === 'loggedIn') return tried.answer
  if (tried.kind === 'refused')
    return firstStepPage(reader, parts.offers, { username, fault: tried.fault })

  const step = stepOf(tried.outcome, { account: username, shownMethod: 'otp' }, form, parts)
  return step ? stepPage(reader, step) : expiredPage(reader)
}

export async function proveLaterStep<U>(
  sent: SentForm,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  const { form, reader } = sent
  const authSession = filled(form.get('attempt'))
  if (authSession === undefined) return endedPage(sent, parts)

  const values = valuesOf(form, laterNames)
  const tried = await tryLogin(
    { values, authSession, remembersDevice: form.has('remember') },
    sent,
    parts,
  )
  if (tried.kind === 'loggedIn') return tried.answer

  const fault = tried.kind === 'refused' ? tried.fault : undefined
  const enrol = values['otp'] === undefined ? undefined : 'totp'
  const next = fault ? await askNext({ values: { enrol }, authSession }, sent, parts) : tried
  const account = filled(form.get('account'))
  const shown = { account, shownMethod: shownMethodOf(form), typed: form.get('recovery_code') }
  const step = next.kind === 'open' ? stepOf(next.outcome, shown, form, parts) : undefined
  if (!step) {
    const last = next.kind === 'refused' ? next.fault : undefined
    return endedPage(sent, parts, () => endPage(reader, values, fault, last))
  }

  // A browser that loads the page of the app again sends the code of the mail again.
  const isAgain = step.outcome === 'enrol' && !step.needsEmailCode && enrol === undefined
  return stepPage(reader, step, isAgain && fault?.kind === 'wrong' ? undefined : fault)
}

/**
 * Says why a login ended. It ends after several wrong codes.
 *
 * @param fault what the service said to the form
 * @param last what it said to the question what comes next
 */
function endPage(
  reader: PageReader,
  { otp, recovery_code: recovery, email_code: ofMail }: PresentedValues,
  fault: StepFault | undefined,
  last: StepFault | undefined,
): HttpAnswer {
  if (last) return refusedPage(reader, last)
  if (!fault) return expiredPage(reader)
  const isOfCode = [otp, recovery, ofMail].some((value) => value !== undefined)
  if (!isOfCode || fault.kind !== 'wrong') return refusedPage(reader, fault)

  const { text, newest } = reader.texts.loginPage.wrongCodes
  return wrongCodesPage(reader, { ...fault, text: otp === undefined ? text : `${text} ${newest}` })
}
