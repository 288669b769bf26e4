// The pages on which people change their address, or confirm it, with the code of a mail.
import { seeOther } from '../../../http/answers.ts'
import { fieldIn } from '../account-pages/faults.ts'
import { requestName } from '../account-pages/field-names.ts'
import { emailField } from '../account-pages/fields.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage, anewButton, beginsAnew, currentPasswordField } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { mailCodePage } from './mail-code-page.ts'
import { keepPending, pendingChange, readPending } from './pending-email.ts'
import type { Visit } from './visit.ts'

export const emailPage: AccountPage = mailCodePage({
  name: 'email',
  summaries: ['Change the e-mail address', 'Change the e-mail address, or confirm it with a code'],
  endpoint: 'POST /users/me/email',
  fieldNames: ['current_password', 'new_email', beginsAnew],
  mail: {
    show(visit, tried) {
      const { email: texts } = visit.reader.texts.accountHome
      const typed = tried?.form.get('new_email') ?? ''
      return accountFormPage(
        visit,
        {
          ...texts,
          name: 'email',
          fields: [
            emailField({ name: 'new_email', label: texts.label }, typed),
            currentPasswordField(visit),
          ],
          button: { label: texts.button },
        },
        tried?.refused,
      )
    },
    async send(visit, form) {
      const page = seeOther(`${visit.home}/email`)
      if (form.has(beginsAnew)) return withCookies(page, [visit.kept.drop('address')])

      const email = form.get('new_email') ?? ''
      const json = { current_password: form.get('current_password') ?? '', new_email: email }
      const { request_id: requestId } = await visit.call('POST /users/me/email', { json })
      if (requestId === undefined) return 'email'
      return withCookies(page, [keepPending(visit, { requestId, email })])
    },
    faultOf(error, { reader: { texts } }) {
      const { email } = texts.accountHome
      const field = fieldIn(error)
      if (error.status === 403) return { field, text: texts.faults.wrongPassword }
      if (error.status === 422) return { field, text: email.invalid }
      return error.status === 409 && field !== undefined ? { field, text: email.taken } : undefined
    },
  },
  code: {
    sentBefore: async (visit) => pendingChange(visit, await readAddress(visit))?.requestId,
    addressOf: async (visit, form) => form?.get('new_email') ?? readPending(visit)?.email ?? '',
    addressField: 'new_email',
    otherwise: (visit) => anewButton(visit, 'email', visit.reader.texts.accountHome.email.another),
    endpoint: 'POST /email-changes/confirm',
    done: 'email',
  },
})

/** Confirms the address that the account has. */
export const verificationPage: AccountPage = mailCodePage({
  name: 'verification',
  summaries: ['Confirm the e-mail address', 'Send a code, or confirm the address with it'],
  endpoint: 'POST /email-verifications',
  fieldNames: [],
  mail: {
    async show(visit, tried) {
      const { heading, intro, send: label } = visit.reader.texts.accountHome.verification
      return accountFormPage(
        visit,
        {
          heading,
          intro: intro(await readAddress(visit)),
          name: 'verification',
          button: { label },
        },
        tried?.refused,
      )
    },
    async send(visit) {
      const { request_id: requestId } = await visit.call('POST /email-verifications')
      return requestId === undefined ? 'verified' : { requestId }
    },
    faultOf: ({ status }) => (status === 409 ? 'home' : undefined),
  },
  code: {
    // After a registration, the address of the page has the request of its mail.
    sentBefore: async ({ query }) => query.get(requestName),
    addressOf: readAddress,
    endpoint: 'POST /email-verifications/confirm',
    done: 'verified',
    ifConfirmed: 'home',
  },
})

async function readAddress({ call }: Visit): Promise<string> {
  const { email } = await call('GET /users/me')
  return email ?? ''
}
