// The page on which people ask for the mail to set a new password. `reset-page.ts` goes on.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { addressOf } from '../../../http/address.ts'
import { seeOther } from '../../../http/answers.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { markup } from '../../../pages/html.ts'
import { linksOf } from '../../../pages/parts.ts'
import type { PasswordResets } from '../../mail/password-reset/reset-types.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import { readDeviceSecret } from '../../sign-in/known-devices/device-cookie.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { generalFault, type Refused } from './faults.ts'
import { requestName } from './field-names.ts'
import { loginField } from './fields.ts'
import { drawForm, sameOriginPage } from './form.ts'
import { describeForm, pageRoute, readPageForm } from './page-route.ts'
import { readerOf, type PageReader } from './reader.ts'
import { backLink } from './ways-on.ts'

export interface ForgotPageParts {
  readonly issuer: string
  readonly pages: PageSettings
  readonly resets: Pick<PasswordResets, 'request'>
  /** A browser may know the device secret from the pages of a login, or from `POST /session`. */
  readonly cookies: Pick<PageCookies, 'device'>
}

/** The page for the code of the mail, below `/account`. */
export const resetPageName = 'reset-password'

export function forgotPageRoutes(parts: ForgotPageParts): readonly OpenRoute[] {
  const checkOrigin = createOriginCheck([new URL(parts.issuer).origin])
  return [
    pageRoute('GET', '/account/forgot-password', 'Ask for a new password', {
      handle: (request) => forgotPage(readerOf(request, parts.pages)),
    }),
    pageRoute('POST', '/account/forgot-password', 'Send the mail for a new password', {
      ...describeForm(['login']),
      async handle(request) {
        // Otherwise another site could exhaust the limit of the server with its visitors' browsers.
        checkOrigin(request)
        return sendMail(request, parts)
      },
    }),
  ]
}

function forgotPage(reader: PageReader, refused?: Refused): HttpAnswer {
  const { forgot, login: label } = reader.texts
  const { heading, intro, button } = forgot
  const fields = [{ ...loginField({ name: 'login', label }), hasFocus: true }]
  const form = drawForm(reader, { button, action: 'forgot-password', fields, refused })
  const back = backLink(reader)
  const content = markup`${form}\n${back && linksOf(back)}`
  return sameOriginPage(reader, { heading, intro, content }, refused)
}

async function sendMail(request: HttpRequestWithBody, parts: ForgotPageParts): Promise<HttpAnswer> {
  const reader = readerOf(request, parts.pages)
  const login = (await readPageForm(request)).get('login')?.trim()
  if (login === undefined) return forgotPage(reader)

  try {
    const deviceSecret = parts.cookies.device.read(request) ?? readDeviceSecret(request)
    const wanted = { login, language: reader.mailLanguage, deviceSecret }
    const requestId = await parts.resets.request(wanted, addressOf(request))
    // The id need not be secret: it is useless without the code of the mail.
    const query = new URLSearchParams({ [requestName]: requestId }).toString()
    return seeOther(`${reader.brand.base}/account/${resetPageName}?${query}`)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return forgotPage(reader, { error, field: 'login', ...generalFault(error, reader) })
  }
}
