// The two pages on which people set a new password. One asks for the mail. The other opens with the
// link of the mail, or after the first with a field for the code.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import { addressOf } from '../../../http/address.ts'
import type { Form } from '../../../http/form.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import { seeOther, type OpenRoute } from '../../../http/route.ts'
import { markup } from '../../../pages/html.ts'
import { detailsOf, linkedOf, linksOf } from '../../../pages/parts.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { PasswordResets } from '../../mail/password-reset/reset-types.ts'
import type { Presented } from '../../mail/proofs/proofs.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import { readDeviceSecret } from '../../sign-in/known-devices/device-cookie.ts'
import { deviceSeconds } from '../../sign-in/known-devices/devices.ts'
import { brokenRule, generalFault, type Refused } from './faults.ts'
import { requestName } from './field-names.ts'
import { loginField, mailCodeField, newPasswordField } from './fields.ts'
import { drawForm, sameOriginPage } from './form.ts'
import { linkPageRoutes, type LinkPage, type LinkPageParts } from './link-page.ts'
import { describeForm, pageRoute, readPageForm } from './page-route.ts'
import { readerOf, type PageReader } from './reader.ts'
import { backLink } from './ways-on.ts'

export interface ResetPageParts extends LinkPageParts {
  readonly issuer: string
  readonly resets: Pick<PasswordResets, 'request' | 'confirm' | 'isOpen'>
  readonly passwordPolicy: Pick<PasswordPolicy, 'minLength'>
  /** Whether a login may ask for no code, on a device that the person has chosen. */
  readonly remembersDevices: boolean
  /** A browser may know the device secret from the pages of a login, or from `POST /session`. */
  readonly cookies: LinkPageParts['cookies'] & Pick<PageCookies, 'device'>
}

const resetName = 'reset-password'

export function resetPageRoutes(parts: ResetPageParts): readonly OpenRoute[] {
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
    ...linkPageRoutes(resetPage(parts), parts),
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

async function sendMail(request: HttpRequestWithBody, parts: ResetPageParts): Promise<HttpAnswer> {
  const reader = readerOf(request, parts.pages)
  const login = (await readPageForm(request)).get('login')?.trim()
  if (login === undefined) return forgotPage(reader)

  try {
    const deviceSecret = parts.cookies.device.read(request) ?? readDeviceSecret(request)
    const wanted = { login, language: reader.mailLanguage, deviceSecret }
    const requestId = await parts.resets.request(wanted, addressOf(request))
    // The id need not be secret: it is useless without the code of the mail.
    const query = new URLSearchParams({ [requestName]: requestId }).toString()
    return seeOther(`${reader.brand.base}/account/${resetName}?${query}`)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return forgotPage(reader, { error, field: 'login', ...generalFault(error, reader) })
  }
}

function resetPage(parts: ResetPageParts): LinkPage {
  const { resets, passwordPolicy, remembersDevices, cookies } = parts
  const { minLength } = passwordPolicy
  return {
    name: resetName,
    summary: 'Enter a new password',
    sentSummary: 'Set the new password',
    fieldNames: [requestName, 'code', 'new_password'],
    end: 'newLogin',
    again: ({ texts }) => ({ href: 'forgot-password', label: texts.reset.again }),
    help({ texts: { register, sent } }) {
      const advice = linkedOf(sent.advice, { href: 'forgot-password' })
      return detailsOf(register.sent.noMail, markup`<p class="soft">${advice}</p>`)
    },
    texts({ texts: { reset, sent } }, typed) {
      const { heading, text } = reset.done
      const done = { heading, text: remembersDevices ? `${text} ${reset.codesAgain}` : text }
      if (!typed.has(requestName)) return { ...reset, done }
      const { heading: checkMail, intro } = sent
      return { ...reset, done, heading: checkMail, intro, emblem: { icon: 'mail' } }
    },
    fields({ texts }, typed, refused) {
      const field = { name: 'new_password', label: texts.newPassword }
      const password = newPasswordField(field, texts, { minLength, refused })
      return typed.has(requestName) ? [mailCodeField(texts, typed), password] : [password]
    },
    isOpen: resets.isOpen,
    async submit(form, request) {
      const password = form.get('new_password') ?? ''
      const device = await resets.confirm(presentedIn(form), password, byStranger(request))
      return device === undefined ? [] : [cookies.device.set(device, deviceSeconds)]
    },
    faultOf(error, reader, form) {
      const { faults } = reader.texts
      const byCode = form.has(requestName)
      if (error.status === 422)
        return { field: 'new_password', text: brokenRule(error, reader, faults.otherPassword) }
      if (error.status === 403)
        return byCode ? { field: 'code', text: faults.wrongCode } : undefined
      return { field: byCode ? 'code' : 'new_password', ...generalFault(error, reader) }
    },
  }
}

function presentedIn(form: Form): Presented {
  const requestId = form.get(requestName)
  if (requestId !== undefined) return { requestId, code: form.get('code') ?? '' }
  return { token: form.get('token') ?? '' }
}
