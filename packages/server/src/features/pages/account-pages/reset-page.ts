// The page on which people set a new password. It opens with the link of the mail, or after
// `forgot-page.ts` with a field for the code.
import type { Form } from '../../../http/form.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { markup } from '../../../pages/html.ts'
import { detailsOf, linkedOf } from '../../../pages/parts.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { PasswordResets } from '../../mail/password-reset/reset-types.ts'
import type { Presented } from '../../mail/proofs/proofs.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { deviceSeconds } from '../../sign-in/known-devices/devices.ts'
import { brokenRule, generalFault } from './faults.ts'
import { requestName } from './field-names.ts'
import { mailCodeField, newPasswordField } from './fields.ts'
import { forgotPageRoutes, resetPageName, type ForgotPageParts } from './forgot-page.ts'
import { linkPageRoutes, type LinkPageParts } from './link-page-routes.ts'
import type { LinkPage } from './link-page.ts'

export interface ResetPageParts extends LinkPageParts, ForgotPageParts {
  readonly resets: Pick<PasswordResets, 'request' | 'confirm' | 'isOpen'>
  readonly passwordPolicy: Pick<PasswordPolicy, 'minLength'>
  /** Whether a login may ask for no code, on a device that the person has chosen. */
  readonly remembersDevices: boolean
  readonly cookies: LinkPageParts['cookies'] & ForgotPageParts['cookies']
}

/** Makes the routes of this page, and of the page that asks for the mail. */
export function resetPageRoutes(parts: ResetPageParts): readonly OpenRoute[] {
  return [...forgotPageRoutes(parts), ...linkPageRoutes(resetPage(parts), parts)]
}

function resetPage(parts: ResetPageParts): LinkPage {
  const { resets, passwordPolicy, remembersDevices, cookies } = parts
  const { minLength } = passwordPolicy
  return {
    name: resetPageName,
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
