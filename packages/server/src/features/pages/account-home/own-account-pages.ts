// The pages on which people change their profile, address and password, and delete the account.
import type { HttpAnswer } from 'keystile/internal'
import { markup } from '../../../pages/html.ts'
import { codeAttributes, hiddenField } from '../../../pages/field.ts'
import { actionsOf, noteOf, pointsOf } from '../../../pages/parts.ts'
import { currentPassword, newPassword } from '../account-pages/fields.ts'
import type { ShownField } from '../account-pages/form-page.ts'
import { brokenRule, continueButton, passwordFaultOf } from '../account-pages/page-parts.ts'
import { homePage } from './home-page.ts'
import {
  accountPage,
  fieldIn,
  formPage,
  type AccountPage,
  type Tried,
  type Visit,
} from './visit.ts'

/** The form of the profile is on the page of the account. */
export const profilePage: AccountPage = {
  name: 'profile',
  section: 'profile',
  summaries: ['Your profile', 'Change profile fields'],
  endpoint: 'PATCH /users/me',
  fieldNames: [],
  show: (visit, tried) => homePage(visit, { refused: tried?.refused, typed: tried?.form }),
  async submit(visit, form) {
    const { names, read } = visit.settings.profile
    const stored = (await visit.call('GET /users/me')) as Readonly<Record<string, unknown>>
    // An empty field is not in the form. The profile schema decides whether it may be empty.
    const emptied = names
      .filter((name) => !form.has(name) && (stored[name] ?? '') !== '')
      .map((name) => [name, typeof stored[name] === 'string' ? '' : null])
    await visit.call('PATCH /users/me', {
      json: { ...read(form), ...Object.fromEntries(emptied) },
    })
    return 'profile'
  },
  faultOf(error, { reader }) {
    if (error.status !== 422) return undefined
    return { field: fieldIn(error), text: brokenRule(error, reader, reader.texts.faults.input) }
  },
}

/** The first form asks for the new address, and the second for the code of the mail to it. */
export const emailPage: AccountPage = {
  name: 'email',
  section: 'profile',
  summaries: ['Change the e-mail address', 'Change the e-mail address, or confirm it with a code'],
  endpoint: 'POST /users/me/email',
  fieldNames: ['current_password', 'new_email', 'request_id', 'code'],
  show(visit, tried) {
    const { email: texts } = visit.reader.texts.accountHome
    if (tried?.form.has('request_id')) return codePage(visit, 'email', tried)

    const typed = tried?.form.get('new_email') ?? ''
    const attributes = markup`type="email" autocomplete="email" value="${typed}"`
    return formPage(
      visit,
      {
        ...texts,
        name: 'email',
        fields: [
          { name: 'new_email', label: texts.label, attributes },
          currentPasswordField(visit),
        ],
        button: { label: texts.button },
      },
      tried?.refused,
    )
  },
  async submit(visit, form) {
    const requestId = form.get('request_id')
    if (requestId !== undefined) {
      const json = { request_id: requestId, code: form.get('code') ?? '' }
      await visit.call('POST /email-changes/confirm', { json })
      return 'email'
    }

    const json = {
      current_password: form.get('current_password') ?? '',
      new_email: form.get('new_email') ?? '',
    }
    const { request_id } = (await visit.call('POST /users/me/email', { json })) as Requested
    return request_id === undefined ? 'email' : codePage(visit, 'email', request_id)
  },
  faultOf(error, { reader: { texts } }, form) {
    const [field, { email }] = [fieldIn(error), texts.accountHome]
    if (form.has('request_id')) return codeFault(error.status, texts)
    if (error.status === 403) return { field, text: texts.faults.wrongPassword }
    if (error.status === 422) return { field, text: email.invalid }
    return error.status === 409 && field !== undefined ? { field, text: email.taken } : undefined
  },
}

/** Confirms the address that the account has. */
export const verificationPage: AccountPage = {
  name: 'verification',
  section: 'profile',
  summaries: ['Confirm the e-mail address', 'Send a code, or confirm the address with it'],
  endpoint: 'POST /email-verifications',
  fieldNames: ['request_id', 'code'],
  async show(visit, tried) {
    if (tried?.form.has('request_id')) return codePage(visit, 'verification', tried)
    // After a registration, a mail is on its way.
    const sent = tried ? null : visit.query.get('request_id')
    if (sent) return codePage(visit, 'verification', sent)

    const { verification: texts } = visit.reader.texts.accountHome
    const { email } = (await visit.call('GET /users/me')) as { readonly email: string | null }
    const intro = texts.intro(email ?? '')
    const { heading, send: label } = texts
    return formPage(
      visit,
      { heading, intro, name: 'verification', button: { label } },
      tried?.refused,
    )
  },
  async submit(visit, form) {
    const requestId = form.get('request_id')
    if (requestId !== undefined) {
      const json = { request_id: requestId, code: form.get('code') ?? '' }
      await visit.call('POST /email-verifications/confirm', { json })
      return 'verified'
    }

    const { request_id } = (await visit.call('POST /email-verifications')) as Requested
    return codePage(visit, 'verification', request_id ?? '')
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 409 ? 'home' : codeFault(status, texts)
  },
}

interface Requested {
  readonly request_id?: string
}

function codeFault(status: number, { faults }: Visit['reader']['texts']) {
  const isWrong = status === 403 || status === 422
  return isWrong ? { field: 'code', text: faults.wrongCode } : undefined
}

/** Asks for the code of a mail. */
function codePage(
  visit: Visit,
  name: 'email' | 'verification',
  request: string | Tried,
): HttpAnswer {
  const { texts } = visit.reader
  const { sent } = texts.accountHome.verification
  const tried = typeof request === 'string' ? undefined : request
  const requestId = typeof request === 'string' ? request : (request.form.get('request_id') ?? '')
  return formPage(
    visit,
    {
      ...sent,
      name,
      hidden: hiddenField('request_id', requestId),
      fields: [
        { name: 'code', label: texts.code, hint: texts.codeHint, attributes: codeAttributes() },
      ],
      button: { label: sent.button },
    },
    tried?.refused,
  )
}

export const passwordPage: AccountPage = {
  name: 'password',
  section: 'sign-in',
  summaries: ['Change the password', 'Submit the form to change the password'],
  endpoint: 'POST /users/me/password',
  fieldNames: ['current_password', 'new_password'],
  show(visit, tried) {
    const { reader, settings, account } = visit
    const { texts } = reader
    const refused = tried?.refused
    const label = texts.newPassword
    const { minLength } = settings
    return formPage(
      visit,
      {
        ...texts.accountHome.password,
        name: 'password',
        // Password managers store the new password under this name.
        hidden: markup`<input class="unseen" value="${account}" autocomplete="username"
readonly tabindex="-1" aria-label="${texts.login}">`,
        fields: [
          currentPasswordField(visit),
          newPassword({ name: 'new_password', label }, texts, { minLength, refused }),
        ],
        button: { label: texts.accountHome.password.button },
      },
      refused,
    )
  },
  async submit(visit, form) {
    const json = {
      current_password: form.get('current_password') ?? '',
      new_password: form.get('new_password') ?? '',
    }
    await visit.call('POST /users/me/password', { json })
    return 'password'
  },
  faultOf(error, { reader }) {
    const { faults } = reader.texts
    if (passwordFaultOf(error))
      return { field: 'new_password', text: brokenRule(error, reader, faults.otherPassword) }
    const isWrong = error.status === 403
    return isWrong ? { field: 'current_password', text: faults.wrongPassword } : undefined
  },
}

export const deletionPage: AccountPage = {
  name: 'delete',
  section: 'delete',
  summaries: ['Delete the account', 'Submit the form to delete the account'],
  endpoint: 'DELETE /users/me',
  fieldNames: [],
  show(visit, tried) {
    const { deletion: texts } = visit.reader.texts.accountHome
    return formPage(
      visit,
      {
        heading: texts.heading,
        intro: visit.account,
        name: 'delete',
        before: markup`${pointsOf([texts.loggedOut, texts.erased], 'cross')}
${noteOf(texts.final, { tone: 'wrong' })}`,
        button: { label: texts.button, kind: 'danger' },
        cancel: texts.keep,
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    await visit.call('DELETE /users/me')
    const { reader } = visit
    const { heading, text: intro } = reader.texts.accountHome.deletion.done
    const answer = accountPage(reader, {
      heading,
      intro,
      emblem: { icon: 'check', tone: 'done' },
      content: actionsOf(continueButton(reader)),
    })
    return { ...answer, cookies: visit.logOutCookies() }
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 409 ? { text: texts.accountHome.deletion.lastAdministrator } : undefined
  },
}

function currentPasswordField({ reader }: Visit): ShownField {
  const label = reader.texts.accountHome.currentPassword
  return { ...currentPassword(reader), name: 'current_password', label }
}
