// A page that the link in a mail opens. Only the button of its form changes anything.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { queryOf, seeOther, type OpenRoute } from '../../../http/route.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { actionsOf, linksOf, type Button, type Emblem } from '../../../pages/parts.ts'
import type { FormTexts } from '../../mail/messages/text-types.ts'
import type { BrowserLogins } from '../../sign-in/browser-login/browser-logins.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { answerTo, generalFault, type Fault, type Refused } from './faults.ts'
import { requestName } from './field-names.ts'
import { drawForm, type ShownField } from './form.ts'
import { describeForm, pageRoute, readPageForm } from './page-route.ts'
import { page, readerOf, type PageReader } from './reader.ts'
import { asSecond, backLink, endButtons, type End } from './ways-on.ts'

export interface LinkPage {
  /** The last part of the path of the page: the page is at `/account/NAME`. */
  readonly name: string
  /** What the OpenAPI document says about opening the page, such as `Accept an invitation`. */
  readonly summary: string
  /** What it says about sending the form. Default: `Submit the form to accept an invitation`. */
  readonly sentSummary?: string
  /** Descriptions of refusals that differ from those of `describeForm()`, by HTTP status. */
  readonly refuses?: Readonly<Record<number, string>>
  /** The names of the fields of the form, besides the token. */
  readonly fieldNames: readonly string[]
  /** Where the flow ends. Default: at the login. */
  readonly end?: End
  /** What the page says below a form that takes the code of a mail. */
  help?(reader: PageReader): Html
  /** A link to the page where a person asks for another mail. */
  again?(reader: PageReader): { readonly href: string; readonly label: string }
  texts(reader: PageReader, typed: Form, refused?: Refused): ShownTexts
  /**
   * Returns the fields of the form. `typed` has the values from the person's last try. A password
   * is not shown again.
   */
  fields(reader: PageReader, typed: Form, refused?: Refused): readonly ShownField[]
  /** Whether the token of a link can still be used. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /**
   * Returns the name of the page of the account that has the link instead, for the user who is
   * logged in. Undefined if the link is not of this user.
   */
  ownPage?(token: string, subject: string): Promise<string | undefined>
  /**
   * Does what the button of the form says. If it throws a `ProblemError`, the page shows it.
   *
   * @returns values of `Set-Cookie`, for a server at whose pages people log in
   */
  submit(
    form: Form,
    request: HttpRequestWithBody,
    reader: PageReader,
  ): Promise<readonly string[] | undefined>
  /**
   * Returns which field a refusal is about, and what the page says. Undefined if the link does not
   * work (403), or for the text that all pages show.
   */
  faultOf(
    error: ProblemError,
    reader: PageReader,
    form: Form,
  ): Fault | undefined | Promise<Fault | undefined>
}

/** Descriptions of refusals that several of these pages have, by HTTP status. */
export const refusals = {
  ofLink: { 403: 'A page: the link or the password is wrong, or the link was used or has expired' },
  ofField: { 422: 'A page: a field is not acceptable' },
  taken: { 409: 'A page: the user name or the address is taken' },
} as const

type ShownTexts = FormTexts & {
  readonly intro?: string
  readonly noToken?: string
  readonly emblem?: Emblem
}

export interface LinkPageParts {
  readonly pages: PageSettings
  readonly cookies: Pick<PageCookies, 'done' | 'login'>
  readonly browserLogins: Pick<BrowserLogins, 'find'>
}

/** Makes the two routes of a page: `GET` shows the form, and `POST` receives the form. */
export function linkPageRoutes(shown: LinkPage, parts: LinkPageParts): readonly OpenRoute[] {
  const { name, summary, fieldNames, refuses } = shown
  const submits = `Submit the form to ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`
  return [
    pageRoute('GET', `/account/${name}`, summary, {
      query: {
        token: { type: 'string' },
        ...(takesCode(shown) && { [requestName]: { type: 'string' } }),
      },
      refuses: { 403: 'A page: the link was used or has expired' },
      handle: (request) => open(request, shown, parts),
    }),
    pageRoute('POST', `/account/${name}`, shown.sentSummary ?? submits, {
      ...describeForm(['token', ...fieldNames], refuses),
      handle: (request) => submitForm(request, shown, parts),
    }),
  ]
}

function takesCode({ fieldNames }: LinkPage): boolean {
  return fieldNames.includes(requestName)
}

/** Shows the form for the code of a mail, what was done here, or what a link opens. */
async function open(
  request: HttpRequestWithBody,
  shown: LinkPage,
  parts: LinkPageParts,
): Promise<HttpAnswer> {
  const { pages, cookies } = parts
  const subject = await findSubject(request, parts)
  const reader = { ...readerOf(request, pages), isLoggedIn: subject !== undefined }
  const query = queryOf(request)
  const requestId = query.get(requestName)
  if (requestId !== null && takesCode(shown))
    return showForm(reader, shown, new Map([[requestName, requestId]]))
  const token = query.get('token') ?? ''
  const own = subject === undefined ? undefined : await shown.ownPage?.(token, subject)
  if (own !== undefined) {
    const path = `${reader.brand.base}/account/${own}`
    return seeOther(`${path}?${new URLSearchParams({ token }).toString()}`)
  }
  if (!query.has(doneName)) return openLink(token, reader, shown)

  // Only the cookie proves that something was done here: the parameter may be in a link.
  return cookies.done.read(request) === shown.name
    ? donePage(reader, shown, new Map())
    : usedLinkPage(reader, shown, new Map())
}

/** Returns the user who is logged in. This proves nothing: it decides what the page shows. */
async function findSubject(
  request: HttpRequestWithBody,
  { pages, cookies, browserLogins }: LinkPageParts,
): Promise<string | undefined> {
  const secret = pages.hasLogin ? cookies.login.read(request) : undefined
  return secret === undefined ? undefined : (await browserLogins.find(secret))?.subject
}

/** The parameter with which the page says what its form has done. */
const doneName = 'done'
/** Long enough to load the page again, or to come back to it from the app. */
const doneSeconds = 10 * 60

/**
 * Shows the form for a link, or says that the link does not work any more. Does not use up the
 * token of the link, because mail scanners open links too.
 */
async function openLink(token: string, reader: PageReader, shown: LinkPage): Promise<HttpAnswer> {
  const typed = new Map([['token', token]])
  if (token !== '')
    return (await shown.isOpen(token))
      ? showForm(reader, shown, typed)
      : usedLinkPage(reader, shown, typed)

  const { heading, noToken = reader.texts.noToken } = shown.texts(reader, typed)
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro: noToken, emblem: { icon: 'link' }, content })
}

async function submitForm(
  request: HttpRequestWithBody,
  shown: LinkPage,
  parts: LinkPageParts,
): Promise<HttpAnswer> {
  const { pages, cookies } = parts
  const isLoggedIn = (await findSubject(request, parts)) !== undefined
  const reader = { ...readerOf(request, pages), isLoggedIn }
  const form = await readPageForm(request)
  try {
    const gained = (await shown.submit(form, request, reader)) ?? []
    // Without login pages, a browser may keep no cookies: they need https.
    if (!pages.hasLogin) return donePage(reader, shown, form)
    const next = seeOther(`${reader.brand.base}/account/${shown.name}?${doneName}`)
    return { ...next, cookies: [cookies.done.set(shown.name, doneSeconds), ...gained] }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error

    const fault = await shown.faultOf(error, reader, form)
    if (error.status === 403 && !fault) return usedLinkPage(reader, shown, form)
    return showForm(reader, shown, form, { error, ...(fault ?? generalFault(error, reader)) })
  }
}

function showForm(reader: PageReader, shown: LinkPage, typed: Form, refused?: Refused): HttpAnswer {
  const { heading, intro, emblem, button } = shown.texts(reader, typed, refused)
  const byCode = takesCode(shown) && typed.has(requestName)
  const proves = byCode ? requestName : 'token'
  const form = drawForm(reader, {
    action: shown.name,
    sends: { [proves]: typed.get(proves) ?? '' },
    fields: shown.fields(reader, typed, refused),
    button,
    refused,
  })
  const help = byCode ? shown.help?.(reader) : undefined
  const again = refused && !help ? shown.again?.(reader) : undefined
  const links = [again, backLink(reader)].filter((link) => link !== undefined)
  const content = markup`${form}\n${help}\n${linksOf(...links)}`
  return page(reader, { heading, intro, emblem, content, ...answerTo(refused) })
}

function donePage(reader: PageReader, shown: LinkPage, form: Form): HttpAnswer {
  const { heading, text: intro } = shown.texts(reader, form).done
  // The undo of a change has sent the mail for a new password: this page may send another one.
  const end = shown.end === 'password' ? 'passwordMail' : (shown.end ?? 'login')
  const content = actionsOf(...endButtons(reader, end))
  return page(reader, { heading, intro, emblem: { icon: 'check', tone: 'done' }, content })
}

/**
 * Writes the page for a link that was used, has expired or never existed. The page does not say
 * which: Keystile does not keep used links.
 */
function usedLinkPage(reader: PageReader, shown: LinkPage, typed: Form): HttpAnswer {
  const { heading, reason } = reader.texts.usedLink
  const intro = `${reason} ${shown.texts(reader, typed).used}`
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro, emblem: { icon: 'link' }, content, status: 403 })
}

/** Returns the buttons of a page whose link does not work: to another mail, or to its end. */
function waysOn(reader: PageReader, shown: LinkPage): readonly Button[] {
  const again = shown.again?.(reader)
  const ends = endButtons(reader, shown.end ?? 'login')
  return again ? [again, asSecond(ends[0])] : ends
}
