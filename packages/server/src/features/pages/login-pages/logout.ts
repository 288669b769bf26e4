// Where people log out: with the button of the account, or on a page for those who follow a link.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { formTokenName } from '../account-pages/field-names.ts'
import { describeBoundForm, pageRoute, readPageForm } from '../account-pages/page-route.ts'
import { readerOf } from '../account-pages/reader.ts'
import { openBound } from './bound-forms.ts'
import { loggedOutPage, logoutPage } from './end-pages.ts'
import { endLogin, loggedOut } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'
import { findSignedIn } from './signed-in.ts'

export function logoutRoutes<U>(
  parts: LoginPageParts<U>,
  refuses: Readonly<Record<number, string>>,
): readonly OpenRoute[] {
  const checkOrigin = createOriginCheck([new URL(parts.issuer).origin])
  return [
    pageRoute('GET', '/logout', 'Log out', {
      // A browser without a login has logged out, or nothing is left to do.
      handle: async (request) =>
        (await findSignedIn(request, parts))
          ? openBound(request, logoutPage, parts)
          : loggedOutPage(readerOf(request, parts.pages)),
    }),
    pageRoute('POST', '/logout', 'End the login of this browser', {
      ...describeBoundForm([], refuses),
      handle(request) {
        checkOrigin(request)
        return logOut(request, parts)
      },
    }),
  ]
}

async function logOut<U>(
  request: HttpRequestWithBody,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  const { pages, cookies } = parts
  const form = await readPageForm(request)
  const page = seeOther(`${pages.brand.base}/logout`)
  // A form of an earlier login must not end the one that the browser has now. The page asks.
  if (form.get(formTokenName) !== cookies.formToken(request)) return page

  await endLogin(request, parts)
  return loggedOut(page, cookies)
}
