// The pages on which people change their address, and confirm it. Those that `mailPage` makes send
// a mail, and then ask for its code.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { codeAttributes, hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { whoOf } from '../../../pages/parts.ts'
import type { MaybeFault } from '../account-pages/form.ts'
import type { EndpointName } from './endpoints.ts'
import {
  currentPasswordField,
  fieldIn,
  formPage,
  type AccountPage,
  type Done,
  type Tried,
  type Visit,
} from './visit.ts'

/** What differs between the pages. */
interface MailPage extends Pick<AccountPage, 'name' | 'summaries' | 'endpoint' | 'fieldNames'> {
  /** The field with the address of the mail. Default: it goes to the address of the account. */
  readonly addressField?: 'new_email'
  /** Shows the form that sends the mail. */
  readonly show: AccountPage['show']
  /** Sends the mail. Returns the id of its request; undefined if no code is needed. */
  send(visit: Visit, form: Form): Promise<string | undefined>
  /** Returns the id of a request whose mail is on its way before this page is opened. */
  sentBefore?(visit: Visit): string | null
  faultOfSending(error: ProblemError, visit: Visit): MaybeFault | 'home'
  /** The endpoint that gets the code. */
  readonly confirmation: EndpointName
  readonly done: Done
  /** Where a person goes if the endpoint answers 409: the address is confirmed already. */
  readonly ifConfirmed?: 'home'
}

/**
 * Makes a page with two steps: the first form sends the mail, and the second has its code. Only the
 * second has the field `request_id`, so this field tells which step a form is.
 */
function mailPage(mail: MailPage): AccountPage {
  const { name, summaries, endpoint, fieldNames, confirmation, done } = mail
  return {
    name,
    section: 'profile',
    summaries,
    endpoint,
    fieldNames: [...fieldNames, 'request_id', 'code'],
    show(visit, tried) {
      const requestId = tried ? tried.form.get('request_id') : mail.sentBefore?.(visit)
      if (!requestId) return mail.show(visit, tried)
      return codePage(visit, { ...mail, requestId }, tried)
    },
    async submit(visit, form) {
      const sent = form.get('request_id')
      if (sent !== undefined) {
        const json = { request_id: sent, code: form.get('code') ?? '' }
        await visit.call(confirmation, { json })
        return done
      }

      const requestId = await mail.send(visit, form)
      return requestId === undefined ? done : codePage(visit, { ...mail, requestId }, { form })
    },
    faultOf(error, visit, form) {
      if (!form.has('request_id')) return mail.faultOfSending(error, visit)
      if (error.status === 409) return mail.ifConfirmed
      const isWrong = error.status === 403 || error.status === 422
      return isWrong ? { field: 'code', text: visit.reader.texts.faults.wrongCode } : undefined
    },
  }
}

/** Asks for the code of the mail that was sent for a request. */
async function codePage(
  visit: Visit,
  { name, addressField, requestId }: MailPage & { readonly requestId: string },
  { form, refused }: Partial<Tried> = {},
): Promise<HttpAnswer> {
  const { texts } = visit.reader
  const { sent } = texts.accountHome.verification
  const address = addressField ? (form?.get(addressField) ?? '') : await readAddress(visit)
  const attributes = codeAttributes()
  return formPage(
    visit,
    {
      heading: sent.heading,
      intro: sent.intro(address),
      name,
      hidden: markup`${hiddenField('request_id', requestId)}
${addressField && hiddenField(addressField, address)}`,
      fields: [{ name: 'code', label: texts.code, hint: texts.codeHint, attributes }],
      button: { label: sent.button },
    },
    refused,
  )
}

async function readAddress({ call }: Visit): Promise<string> {
  const { email } = (await call('GET /users/me')) as { readonly email: string | null }
  return email ?? ''
}

interface Requested {
  readonly request_id?: string
}

export const emailPage: AccountPage = mailPage({
  name: 'email',
  summaries: ['Change the e-mail address', 'Change the e-mail address, or confirm it with a code'],
  endpoint: 'POST /users/me/email',
  fieldNames: ['current_password', 'new_email'],
  addressField: 'new_email',
  show(visit, tried) {
    const { email: texts } = visit.reader.texts.accountHome
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
  async send({ call }, form) {
    const json = {
      current_password: form.get('current_password') ?? '',
      new_email: form.get('new_email') ?? '',
    }
    return ((await call('POST /users/me/email', { json })) as Requested).request_id
  },
  faultOfSending(error, { reader: { texts } }) {
    const [field, { email }] = [fieldIn(error), texts.accountHome]
    if (error.status === 403) return { field, text: texts.faults.wrongPassword }
    if (error.status === 422) return { field, text: email.invalid }
    return error.status === 409 && field !== undefined ? { field, text: email.taken } : undefined
  },
  confirmation: 'POST /email-changes/confirm',
  done: 'email',
})

/**
 * Confirms a new address with the link of the mail, in the login of the browser. So this page can
 * do it for an account with a second factor, which the page of the link cannot.
 */
export const newAddressPage: AccountPage = {
  name: 'new-address',
  section: 'profile',
  summaries: ['Confirm a new e-mail address, logged in', 'Confirm the address with a link'],
  endpoint: 'POST /email-changes/confirm',
  fieldNames: ['token'],
  show(visit, tried) {
    const { change, loginPage, accountHome } = visit.reader.texts
    const token = tried?.form.get('token') ?? visit.query.get('token') ?? ''
    return formPage(
      visit,
      {
        heading: change.heading,
        intro: accountHome.email.intro,
        name: 'new-address',
        before: whoOf(visit.account, loginPage.again.account),
        hidden: hiddenField('token', token),
        button: { label: change.button },
      },
      tried?.refused,
    )
  },
  async submit(visit, form) {
    const json = { token: form.get('token') ?? '' }
    await visit.call('POST /email-changes/confirm', { json })
    return 'email'
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 403 ? { text: texts.accountHome.email.wrongLink } : undefined
  },
}

/** Confirms the address that the account has. */
export const verificationPage: AccountPage = mailPage({
  name: 'verification',
  summaries: ['Confirm the e-mail address', 'Send a code, or confirm the address with it'],
  endpoint: 'POST /email-verifications',
  fieldNames: [],
  async show(visit, tried) {
    const { verification: texts } = visit.reader.texts.accountHome
    const intro = texts.intro(await readAddress(visit))
    const { heading, send: label } = texts
    return formPage(
      visit,
      { heading, intro, name: 'verification', button: { label } },
      tried?.refused,
    )
  },
  send: async ({ call }) => ((await call('POST /email-verifications')) as Requested).request_id,
  // After a registration, the address of the page has the request of its mail.
  sentBefore: ({ query }) => query.get('request_id'),
  faultOfSending: ({ status }) => (status === 409 ? 'home' : undefined),
  confirmation: 'POST /email-verifications/confirm',
  done: 'verified',
  ifConfirmed: 'home',
})
