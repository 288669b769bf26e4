// The routes of a page that the link in a mail opens. Only the button of its form changes anything.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import { queryOf } from '../../../http/request.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { BrowserLogins } from '../../sign-in/browser-login/browser-logins.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { generalFault } from './faults.ts'
import { requestName } from './field-names.ts'
import { doneView, formView, noLinkView, usedLinkView } from './link-page-views.ts'
import { takesCode, type LinkPage } from './link-page.ts'
import { describeForm, pageRoute, readPageForm } from './page-route.ts'
import { readerOf, type PageReader } from './reader.ts'

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
      handle: (request) => submit(request, shown, parts),
    }),
  ]
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
    return formView(reader, shown, new Map([[requestName, requestId]]))

  const token = query.get('token') ?? ''
  const own = subject === undefined ? undefined : await shown.ownPage?.(token, subject)
  if (own !== undefined) {
    const path = `${reader.brand.base}/account/${own}`
    return seeOther(`${path}?${new URLSearchParams({ token }).toString()}`)
  }

  if (!query.has(doneName)) return openLink(token, reader, shown)
  // Only the cookie proves that something was done here: the parameter may be in a link.
  const isDone = cookies.done.read(request) === shown.name
  return isDone ? doneView(reader, shown, new Map()) : usedLinkView(reader, shown, new Map())
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
  if (token === '') return noLinkView(reader, shown, typed)
  const view = (await shown.isOpen(token)) ? formView : usedLinkView
  return view(reader, shown, typed)
}

/** Does what the form says. Then shows the same page, which says that it is done. */
async function submit(
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
    if (!pages.hasLogin) return doneView(reader, shown, form)
    const next = seeOther(`${reader.brand.base}/account/${shown.name}?${doneName}`)
    return { ...next, cookies: [cookies.done.set(shown.name, doneSeconds), ...gained] }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error

    const fault = await shown.faultOf(error, reader, form)
    if (error.status === 403 && !fault) return usedLinkView(reader, shown, form)
    return formView(reader, shown, form, { error, ...(fault ?? generalFault(error, reader)) })
  }
}
