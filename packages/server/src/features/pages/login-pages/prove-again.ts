// A person who is logged in proves once more who they are, before a change that needs it.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { makeSecret } from '../../../base/secret.ts'
import { seeOther } from '../../../http/answers.ts'
import { queryOf } from '../../../http/request.ts'
import type { PresentedValues } from '../../sign-in/login/login.ts'
import { recentLoginSeconds } from '../../users/accounts/login-age.ts'
import { labelOf } from '../../users/directory/directory.ts'
import { readerOf } from '../account-pages/reader.ts'
import { askNext, tryLogin, type SentForm, type SentStep } from './ask-login.ts'
import { openBound } from './bound-forms.ts'
import { expiredPage, refusedPage } from './end-pages.ts'
import type { LoginPageParts } from './login-parts.ts'
import { shownMethods } from './second-steps.ts'
import { findSignedIn, type SignedIn } from './signed-in.ts'
import { againPage, stepPage } from './step-pages.ts'
import { laterNames, shownMethodOf, stepOf, valuesOf } from './step-values.ts'
import { accountName } from './welcome.ts'

export async function openAgain<U>(
  request: HttpRequestWithBody,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  const { base } = parts.pages.brand
  const signedIn = await findSignedIn(request, parts)
  if (!signedIn) return seeOther(`${base}/login`)

  const reader = readerOf(request, parts.pages)
  const sent = { request, form: new Map(), reader, formSecret: makeSecret() }
  const next = await askNext(stepUpOf(signedIn, {}), sent, parts)
  if (next.kind === 'refused') return refusedPage(reader, next.fault)
  if (next.outcome.outcome !== 'next') return seeOther(`${base}/account`)

  const { methods } = next.outcome
  const account = labelOf(signedIn.user, parts.directory)
  const to = accountName(queryOf(request).get('to'))
  const { forgotPassword } = parts.offers
  const shown = { account, methods, shownMethod: shownMethods[0], to, forgotPassword }
  return openBound(request, (boundReader) => againPage(boundReader, shown), parts)
}

export async function proveAgain<U>(sent: SentForm, parts: LoginPageParts<U>): Promise<HttpAnswer> {
  const { request, form, reader } = sent
  const signedIn = await findSignedIn(request, parts)
  if (!signedIn) return seeOther(`${reader.brand.base}/login`)

  const account = labelOf(signedIn.user, parts.directory)
  const { password, ...factors } = valuesOf(form, ['password', ...laterNames])
  const values = { ...factors, ...(password !== undefined && { username: account, password }) }
  const to = accountName(form.get('to'))
  const begun = { ...stepUpOf(signedIn, values), to }
  const tried = await tryLogin(begun, sent, parts)
  if (tried.kind === 'loggedIn') return tried.answer

  if (tried.kind === 'open') {
    const step = stepOf(tried.outcome, { account, shownMethod: 'otp' }, form, parts)
    if (step) return stepPage(reader, step)
  }

  const fault = tried.kind === 'refused' ? tried.fault : undefined
  const next = fault ? await askNext({ ...begun, values: {} }, sent, parts) : tried
  if (next.kind === 'refused') return refusedPage(reader, next.fault)
  if (next.outcome.outcome !== 'next')
    return fault ? refusedPage(reader, fault) : expiredPage(reader)

  const { methods } = next.outcome
  const typed = form.get('recovery_code')
  const { forgotPassword } = parts.offers
  const shown = { account, methods, shownMethod: shownMethodOf(form), typed, to, forgotPassword }
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
