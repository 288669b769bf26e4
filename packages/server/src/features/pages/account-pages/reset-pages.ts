import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { queryOf, type OpenRoute } from '../../../http/route.ts'
import { addressOf, byStranger } from '../../operations/audit/audit.ts'
import type { Presented } from '../../mail/proofs/proofs.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { PasswordResets } from '../../mail/password-reset/reset.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { fieldOf } from '../../../pages/layout.ts'
import {
  brokenRule,
  donePage,
  page,
  pageRoute,
  readPageForm,
  readerOf as pageReaderOf,
  type PageReader,
  type PageSettings,
} from './page-parts.ts'
import { pageTexts, type PageTexts } from './texts.ts'
import { usedLinkPage } from './used-link.ts'

/**
 * The services and settings that the pages use. The services enforce all rules; the pages only show
 * the results.
 */
export interface ResetPageParts extends PageSettings {
  readonly resets: PasswordResets
  readonly passwordPolicy: Pick<PasswordPolicy, 'minLength'>
}

/**
 * The pages on which people set a new password. Nothing changes when a page is opened, only when
 * its form is sent.
 */
export function resetPageRoutes(parts: ResetPageParts): readonly OpenRoute[] {
  return [
    pageRoute('GET', '/account/forgot-password', 'Ask for a new password', {
      handle: (request) => forgotPage(readerOf(request, parts)),
    }),
    pageRoute('POST', '/account/forgot-password', 'Send the mail for a new password', {
      fields: ['login'],
      handle: (request) => sendMail(request, parts),
    }),
    pageRoute('GET', '/account/reset-password', 'Enter a new password', {
      query: { token: { type: 'string' } },
      handle: (request) => openLink(request, parts),
    }),
    pageRoute('POST', '/account/reset-password', 'Set the new password', {
      fields: ['token', 'request_id', 'code', 'new_password'],
      handle: (request) => setPassword(request, parts),
    }),
  ]
}

interface Reader extends PageReader {
  readonly texts: PageTexts
  readonly minLength: number
}

function readerOf(request: HttpRequestWithBody, parts: ResetPageParts): Reader {
  const reader = pageReaderOf(request, parts)
  const { minLength } = parts.passwordPolicy
  return { ...reader, texts: pageTexts[reader.language], minLength }
}

interface Refused {
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  readonly fault: Html
  /** Whether the new password was refused. */
  readonly isOfPassword: boolean
}

async function sendMail(request: HttpRequestWithBody, parts: ResetPageParts): Promise<HttpAnswer> {
  const reader = readerOf(request, parts)
  const login = (await readPageForm(request)).get('login')
  if (login === undefined) return forgotPage(reader)

  const { language } = reader
  try {
    const wanted = { login, language, deviceSecret: undefined }
    const requestId = await parts.resets.request(wanted, addressOf(request))
    return resetPage(reader, { requestId, code: '' })
  } catch (error) {
    return forgotPage(reader, refusedOf(error, reader))
  }
}

/**
 * Shows the form for a link, or says that the link does not work any more. Does not use up the
 * token of the link, because mail scanners open links too.
 */
async function openLink(request: HttpRequestWithBody, parts: ResetPageParts): Promise<HttpAnswer> {
  const reader = readerOf(request, parts)
  const { texts } = reader
  const token = queryOf(request).get('token')
  if (token) return (await parts.resets.isOpen(token)) ? resetPage(reader, { token }) : used(reader)

  const content = markup`<p>${texts.noToken}</p>
    ${againLink(texts)}`
  return page(reader, texts.reset.heading, content)
}

async function setPassword(
  request: HttpRequestWithBody,
  parts: ResetPageParts,
): Promise<HttpAnswer> {
  const reader = readerOf(request, parts)
  const form = await readPageForm(request)
  const presented = presentedOf(form)
  try {
    await parts.resets.confirm(presented, form.get('new_password') ?? '', byStranger(request))
    return donePage(reader, reader.texts.done)
  } catch (error) {
    const refused = refusedOf(error, reader)
    const isOfLink = refused.status === 403 && 'token' in presented
    return isOfLink ? used(reader) : resetPage(reader, presented, refused)
  }
}

function presentedOf(form: Form): Presented {
  const requestId = form.get('request_id')
  if (requestId !== undefined) return { requestId, code: form.get('code') ?? '' }
  return { token: form.get('token') ?? '' }
}

function forgotPage(reader: Reader, refused?: Refused): HttpAnswer {
  const { forgot, login } = reader.texts
  const field = fieldOf({
    name: 'login',
    label: login,
    fault: refused?.fault,
    attributes: markup`autocomplete="username" autocapitalize="none" spellcheck="false"`,
  })
  const content = markup`<p>${forgot.intro}</p>
<form method="post" action="forgot-password">
${field}
<button>${forgot.button}</button>
</form>`
  return page(reader, forgot.heading, content, refused)
}

/**
 * Shows the form for the new password. If the person has a request id instead of a link, the form
 * also has a field for the code.
 */
function resetPage(reader: Reader, presented: Presented, refused?: Refused): HttpAnswer {
  const { texts, minLength } = reader
  const byCode = 'requestId' in presented
  const isOfPassword = refused?.isOfPassword === true
  const proof = byCode
    ? codeFields(presented, texts, isOfPassword ? undefined : refused)
    : markup`<input type="hidden" name="token" value="${presented.token}">`
  const password = fieldOf({
    name: 'new_password',
    label: texts.password,
    hint: texts.passwordHint(minLength),
    fault: isOfPassword || !byCode ? refused?.fault : undefined,
    attributes: markup`type="password" autocomplete="new-password"`,
  })
  const content = markup`${byCode ? markup`<p>${texts.sent.intro}</p>` : undefined}
<form method="post" action="reset-password">
${proof}
${password}
<button>${texts.reset.button}</button>
</form>
${refused && againLink(texts)}`
  const { heading } = byCode && !refused ? texts.sent : texts.reset
  return page(reader, heading, content, refused)
}

function codeFields(
  { requestId, code }: { readonly requestId: string; readonly code: string },
  texts: PageTexts,
  refused: Refused | undefined,
): Html {
  const field = fieldOf({
    name: 'code',
    label: texts.code,
    hint: texts.codeHint,
    fault: refused?.fault,
    attributes: markup`inputmode="numeric" autocomplete="one-time-code" value="${code}"`,
  })
  return markup`<input type="hidden" name="request_id" value="${requestId}">
${field}`
}

function used(reader: Reader): HttpAnswer {
  const { reset, requestAgain: label } = reader.texts
  return usedLinkPage(reader, reset.used, { href: 'forgot-password', label })
}

function againLink({ requestAgain }: PageTexts): Html {
  return markup`<p><a href="forgot-password">${requestAgain}</a></p>`
}

/**
 * Converts a refusal into what the page shows. Rethrows every error that is not a `ProblemError`.
 */
function refusedOf(error: unknown, { texts: { faults }, language }: Reader): Refused {
  if (!(error instanceof ProblemError)) throw error

  const { status, retryAfterSeconds } = error
  const shared = { status, retryAfterSeconds, isOfPassword: status === 422 }
  if (status === 422) return { ...shared, fault: brokenRule(error, language, faults.password) }

  if (status === 403) return { ...shared, fault: markup`${faults.code}` }
  return { ...shared, fault: markup`${status === 429 ? faults.tooMany : faults.unavailable}` }
}
