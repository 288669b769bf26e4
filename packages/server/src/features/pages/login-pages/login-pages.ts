// The pages at which a browser logs in: name and password, the second factor, and the set-up of a
// factor that the account must have. `prove.ts` has these steps, and `prove-again.ts` those of a
// person who is logged in. `ask-login.ts` asks the login, and `step-pages.ts` draws what it says.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { describeBoundForm, pageRoute } from '../account-pages/page-route.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { createFormReceiver, openSignedOut } from './bound-forms.ts'
import type { LoginPageParts } from './login-parts.ts'
import { logoutRoutes } from './logout.ts'
import { openAgain, proveAgain } from './prove-again.ts'
import { beginLogin, proveFirstStep, proveLaterStep } from './prove.ts'
import { registrationRoutes } from './registration.ts'
import { firstNames, laterNames } from './step-values.ts'

const refuses = { 403: 'The form must come from a page of this origin' }

export function loginPageRoutes<U>(parts: LoginPageParts<U>): readonly OpenRoute[] {
  const { cookies, registration } = parts
  const { base } = parts.pages.brand
  const receive = createFormReceiver(parts)
  const open = (
    request: HttpRequestWithBody,
    draw: (reader: PageReader) => HttpAnswer,
  ): Promise<HttpAnswer> => openSignedOut(request, draw, parts)

  return [
    pageRoute('GET', '/login', 'Log in', {
      handle: (request) => open(request, (reader) => beginLogin(request, reader, parts)),
    }),
    pageRoute('POST', '/login', 'Prove the password', {
      ...describeBoundForm(firstNames, refuses),
      handle: receive((sent) => proveFirstStep(sent, parts)),
    }),
    // A browser that opens the address of this step has no attempt: it is not in the address.
    pageRoute('GET', '/login/factor', 'Log in from the start', {
      handle: () => seeOther(`${base}/login`),
    }),
    pageRoute('POST', '/login/factor', 'Prove or set up the second factor', {
      ...describeBoundForm(['attempt', 'account', 'show', 'remember', ...laterNames], refuses),
      handle: receive((sent) => proveLaterStep(sent, parts)),
    }),
    pageRoute('GET', '/login/again', 'Log in again', {
      query: { to: { type: 'string' } },
      handle: (request) => openAgain(request, parts),
    }),
    pageRoute('POST', '/login/again', 'Prove once more who one is', {
      ...describeBoundForm(['to', 'show', 'password', ...laterNames], refuses),
      handle: receive((sent) => proveAgain(sent, parts)),
    }),
    ...(registration
      ? registrationRoutes(registration, {
          cookies,
          open,
          receive,
          logIn: (sent) => proveFirstStep(sent, parts),
        })
      : []),
    ...logoutRoutes(parts, refuses),
  ]
}
