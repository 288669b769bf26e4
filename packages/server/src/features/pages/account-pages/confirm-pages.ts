import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { queryOf, type OpenRoute } from '../../../http/route.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import { parseUsername } from '../../users/directory/names.ts'
import type { Verifications } from '../../mail/email-verification/verification.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { fieldOf } from '../../../pages/layout.ts'
import { confirmTexts, type ConfirmTexts } from './confirm-texts.ts'
import {
  donePage,
  page,
  pageRoute,
  readPageForm,
  readerOf,
  type PageReader,
  type PageSettings,
} from './page-parts.ts'
import { usedLinkPage } from './used-link.ts'

/**
 * The services and settings that the pages use. The services enforce all rules; the pages only show
 * the results.
 */
export interface ConfirmPageParts extends PageSettings {
  readonly verifications: Pick<Verifications, 'confirm' | 'isOpen'>
}

/**
 * The two pages. One confirms the e-mail address of an account, the other confirms a registration.
 */
const kinds = [
  { kind: 'verify', name: 'verify-email', summary: 'the address of an account' },
  { kind: 'finish', name: 'finish-registration', summary: 'a registration' },
] as const
type Kind = (typeof kinds)[number]

/**
 * The pages on which people verify their address. Nothing changes when a page is opened, only when
 * its form is sent.
 */
export function confirmPageRoutes(parts: ConfirmPageParts): readonly OpenRoute[] {
  return kinds.flatMap((kind) => [
    pageRoute('GET', `/account/${kind.name}`, `Confirm ${kind.summary}`, {
      query: { token: { type: 'string' } },
      handle: (request) => openLink(request, kind, parts),
    }),
    pageRoute('POST', `/account/${kind.name}`, `Submit the form to confirm ${kind.summary}`, {
      fields: kind.kind === 'verify' ? ['token', 'password'] : ['token', 'password', 'username'],
      refuses: {
        403: 'A page: the link or the password is wrong, or the link was used or has expired',
        ...(kind.kind === 'finish' && { 409: 'A page: the user name or the address is taken' }),
      },
      handle: (request) => confirm(request, kind, parts),
    }),
  ])
}

/**
 * Shows the form for a link, or says that the link does not work any more. Does not use up the
 * token of the link, because mail scanners open links too.
 */
async function openLink(
  request: HttpRequestWithBody,
  kind: Kind,
  parts: ConfirmPageParts,
): Promise<HttpAnswer> {
  const reader = readerOf(request, parts)
  const token = queryOf(request).get('token')
  const texts = confirmTexts[reader.language]
  const { heading, used } = texts[kind.kind]
  if (!token) return page(reader, heading, markup`<p>${texts.noToken}</p>`)
  if (!(await parts.verifications.isOpen(token))) return usedLinkPage(reader, used)
  return formPage(reader, kind, { token })
}

async function confirm(
  request: HttpRequestWithBody,
  kind: Kind,
  { verifications, ...settings }: ConfirmPageParts,
): Promise<HttpAnswer> {
  const reader = readerOf(request, settings)
  const texts = confirmTexts[reader.language]
  const form = await readPageForm(request)
  const [token = '', password = ''] = [form.get('token'), form.get('password')]
  const typed = kind.kind === 'finish' ? form.get('username') : undefined
  const username = typed === undefined ? undefined : parseUsername(typed)
  if (typed !== undefined && !username)
    return formPage(
      reader,
      kind,
      { token, username: typed },
      { status: 422, field: 'username', fault: markup`${texts.usernameHint}` },
    )

  try {
    await verifications.confirm({ presented: { token }, password, username }, byStranger(request))
    return donePage(reader, texts[kind.kind].done)
  } catch (error) {
    const refused = refusedOf(error, texts)
    if (refused === 'link') return usedLinkPage(reader, texts[kind.kind].used)
    return formPage(reader, kind, { token, username: typed }, refused)
  }
}

interface Refused {
  readonly status: number
  readonly retryAfterSeconds?: number | undefined
  /** The field that has the fault; undefined if the fault is not in a field. */
  readonly field?: 'password' | 'username' | undefined
  readonly fault: Html
}

function formPage(
  reader: PageReader,
  { kind, name }: Kind,
  { token, username }: { readonly token: string; readonly username?: string | undefined },
  refused?: Refused,
): HttpAnswer {
  const texts = confirmTexts[reader.language]
  const { heading, intro, button } = texts[kind]
  const faultOf = (field: Refused['field']): Html | undefined =>
    refused && refused.field === field ? refused.fault : undefined
  const general = faultOf(undefined)
  const needsName = username !== undefined || refused?.field === 'username'
  const content = markup`<p>${intro}</p>
${general && markup`<p class="fault" role="alert">${general}</p>`}
<form method="post" action="${name}">
<input type="hidden" name="token" value="${token}">
${needsName ? usernameField(username, faultOf('username'), texts) : undefined}
${fieldOf({
  name: 'password',
  label: texts.password,
  fault: faultOf('password'),
  attributes: markup`type="password" autocomplete="current-password"`,
})}
<button>${button}</button>
</form>`
  return page(reader, heading, content, refused)
}

function usernameField(
  username: string | undefined,
  fault: Html | undefined,
  { username: label, usernameHint: hint }: ConfirmTexts,
): Html {
  const value = markup` value="${username}"`
  return fieldOf({
    name: 'username',
    label,
    hint: fault ? undefined : hint,
    fault,
    attributes: markup`autocomplete="username" autocapitalize="none" spellcheck="false"${value}`,
  })
}

/**
 * Converts a refusal into what the page shows. Returns `link` if the link does not work. Rethrows
 * every error that is not a `ProblemError`.
 */
function refusedOf(error: unknown, { faults, usernameHint }: ConfirmTexts): Refused | 'link' {
  if (!(error instanceof ProblemError)) throw error

  const { status, retryAfterSeconds, errors = [] } = error
  const named = errors[0]?.loc[1]
  const shared = { status, retryAfterSeconds }
  if (status === 422) return { ...shared, field: 'username', fault: markup`${usernameHint}` }
  if (status === 403)
    return named === 'password'
      ? { ...shared, field: 'password', fault: markup`${faults.password}` }
      : 'link'
  if (status === 409)
    return named === 'username'
      ? { ...shared, field: 'username', fault: markup`${faults.usernameTaken}` }
      : { ...shared, fault: markup`${faults.emailTaken}` }
  return { ...shared, fault: markup`${status === 429 ? faults.tooMany : faults.unavailable}` }
}
