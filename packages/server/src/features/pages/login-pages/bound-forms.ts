// Against cross-site request forgery, each form must come from a page of this origin, and an
// attempt is bound to the cookie `form` of the browser that began it. The history of a browser
// keeps the forms that it sent, with the passwords, so a form works only until the next login or
// log-out. The `formToken` is a hash of the cookies of the login and the form
// (`browser-login/page-cookies.ts`), so both bind it.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { makeSecret } from '../../../base/secret.ts'
import { seeOther } from '../../../http/answers.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { formTokenName } from '../account-pages/field-names.ts'
import { readPageForm } from '../account-pages/page-route.ts'
import { readerOf, type PageReader } from '../account-pages/reader.ts'
import type { SentForm } from './ask-login.ts'
import { cookiesOffPage, expiredPage } from './end-pages.ts'
import { withCookies } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'
import { findSignedIn } from './signed-in.ts'

export type FormReceiver = (handle: (sent: SentForm) => Promise<HttpAnswer>) => OpenRoute['handle']

/** Draws a page. The reader has the `formToken` for its forms. */
type Draw = (reader: PageReader) => HttpAnswer

/** Shows a page for people who are not logged in. */
export async function openSignedOut<U>(
  request: HttpRequestWithBody,
  draw: Draw,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  if (await findSignedIn(request, parts)) return seeOther(`${parts.pages.brand.base}/account`)
  return openBound(request, draw, parts)
}

/** Shows a page, and binds its forms to the cookies of this browser. */
export function openBound<U>(
  request: HttpRequestWithBody,
  draw: Draw,
  { pages, cookies }: LoginPageParts<U>,
): HttpAnswer {
  const known = cookies.form.read(request)
  const formSecret = known ?? makeSecret()
  // A new secret is not in the request yet, so it is passed.
  const formToken = cookies.formToken(request, formSecret)
  const answer = draw({ ...readerOf(request, pages), formToken })
  return known === undefined ? withCookies(answer, [cookies.form.set(formSecret)]) : answer
}

/** Makes handlers that get only the forms that are bound to the browser that sends them. */
export function createFormReceiver<U>(parts: LoginPageParts<U>): FormReceiver {
  const checkOrigin = createOriginCheck([new URL(parts.issuer).origin])
  return (handle) => async (request) => {
    checkOrigin(request)
    const form = await readPageForm(request)
    const reader = readerOf(request, parts.pages)
    const formSecret = parts.cookies.form.read(request)
    if (formSecret === undefined) return cookiesOffPage(reader)
    // Both secrets come from the cookies of the request.
    const formToken = parts.cookies.formToken(request)
    const sent = { request, form, reader: { ...reader, formToken }, formSecret }
    return form.get(formTokenName) === formToken ? handle(sent) : endedPage(sent, parts)
  }
}

/**
 * Answers a form that does not work any more, or whose login has ended. If this browser is logged
 * in by now, for example in another window, leads to the account.
 *
 * @param draw says why the login has ended
 */
export async function endedPage<U>(
  { request, reader }: SentForm,
  parts: LoginPageParts<U>,
  draw: Draw = expiredPage,
): Promise<HttpAnswer> {
  if (await findSignedIn(request, parts)) return seeOther(`${reader.brand.base}/account`)
  return draw(reader)
}
