// The pages on which people change their address, or confirm it: they send a mail, and then ask for
// its code.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { seeOther } from '../../../http/route.ts'
import { codeAttributes, hiddenField } from '../../../pages/field.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { fieldIn, type Fault } from '../account-pages/faults.ts'
import { emailField } from '../account-pages/fields.ts'
import { withCookies } from '../login-pages/ask-login.ts'
import { accountFormPage, anewButton, beginsAnew, currentPasswordField } from './account-form.ts'
import type { AccountPage, Tried } from './account-page.ts'
import type { EndpointName } from './endpoints.ts'
import type { Done, Visit } from './visit.ts'

/** What differs between the pages. */
interface MailPage extends Pick<AccountPage, 'name' | 'summaries' | 'endpoint' | 'fieldNames'> {
  /** The field with the address of the mail. Default: it goes to the address of the account. */
  readonly addressField?: 'new_email'
  /** Shows the form that sends the mail. */
  readonly show: AccountPage['show']
  /** Sends the mail. Returns the page that asks for its code, or what is done without one. */
  send(visit: Visit, form: Form): Promise<HttpAnswer | Done>
  /** Returns the id of a request whose mail is on its way before this page is opened. */
  sentBefore?(visit: Visit): Promise<string | null | undefined>
  /** What the page of the code also offers, as HTML. */
  otherwise?(visit: Visit): Html
  faultOfSending(error: ProblemError, visit: Visit): Fault | undefined | 'home'
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
    async show(visit, tried) {
      const requestId = tried ? tried.form.get('request_id') : await mail.sentBefore?.(visit)
      if (!requestId) return mail.show(visit, tried)
      return codePage(visit, { ...mail, requestId }, tried)
    },
    async submit(visit, form) {
      const sent = form.get('request_id')
      if (sent === undefined) return mail.send(visit, form)

      const json = { request_id: sent, code: form.get('code') ?? '' }
      await visit.call(confirmation, { json })
      return confirmed(visit, done)
    },
    faultOf(error, visit, form) {
      if (!form.has('request_id')) return mail.faultOfSending(error, visit)
      if (error.status === 409) return mail.ifConfirmed
      const isWrong = error.status === 403 || error.status === 422
      return isWrong ? { field: 'code', text: visit.reader.texts.faults.wrongCode } : undefined
    },
  }
}

/** Leads to the account. No change of the address waits for a code any more. */
export function confirmed({ home, say, kept }: Visit, done: Done): HttpAnswer {
  return withCookies(seeOther(home), [say(done), kept.drop('address')])
}

type Code = Pick<MailPage, 'name' | 'addressField' | 'otherwise'> & { readonly requestId: string }

/** Asks for the code of the mail that was sent for a request. */
async function codePage(
  visit: Visit,
  { name, addressField, requestId, otherwise }: Code,
  { form, refused }: Partial<Tried> = {},
): Promise<HttpAnswer> {
  const { texts } = visit.reader
  const { sent } = texts.accountHome.verification
  const kept = addressField && (form?.get(addressField) ?? readPending(visit)?.email ?? '')
  const address = kept ?? (await readAddress(visit))
  const attributes = codeAttributes()
  return accountFormPage(
    visit,
    {
      heading: sent.heading,
      intro: sent.intro(address),
      name,
      hidden: markup`${hiddenField('request_id', requestId)}
${addressField && hiddenField(addressField, address)}`,
      fields: [{ name: 'code', label: texts.code, hint: texts.codeHint, attributes }],
      button: { label: sent.button },
      after: otherwise?.(visit),
    },
    refused,
  )
}

/** A change of the address that waits for its code, as the browser keeps it. */
interface Pending {
  readonly requestId: string
  readonly email: string
}

function readPending({ kept }: Visit): Pending | undefined {
  const text = kept.read('address')
  // The cookie is encrypted, so only `send()` of `emailPage` can have written the text.
  return text === undefined ? undefined : (JSON.parse(text) as Pending)
}

/**
 * Returns the change of the address that this browser has asked for and that waits for its code;
 * undefined if the account has the new address by now, for example by the link of the mail.
 *
 * @param address the address of the account
 */
export function pendingChange(visit: Visit, address: string | null): Pending | undefined {
  const pending = readPending(visit)
  return pending && pending.email.toLowerCase() !== address?.toLowerCase() ? pending : undefined
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
  fieldNames: ['current_password', 'new_email', beginsAnew],
  addressField: 'new_email',
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
  async send({ call, kept, home }, form) {
    const page = seeOther(`${home}/email`)
    if (form.has(beginsAnew)) return withCookies(page, [kept.drop('address')])

    const email = form.get('new_email') ?? ''
    const json = { current_password: form.get('current_password') ?? '', new_email: email }
    const { request_id: requestId } = (await call('POST /users/me/email', { json })) as Requested
    if (requestId === undefined) return 'email'
    return withCookies(page, [kept.keep('address', JSON.stringify({ requestId, email }))])
  },
  sentBefore: async (visit) => pendingChange(visit, await readAddress(visit))?.requestId,
  otherwise: (visit) => anewButton(visit, 'email', visit.reader.texts.accountHome.email.another),
  faultOfSending(error, { reader: { texts } }) {
    const [field, { email }] = [fieldIn(error), texts.accountHome]
    if (error.status === 403) return { field, text: texts.faults.wrongPassword }
    if (error.status === 422) return { field, text: email.invalid }
    return error.status === 409 && field !== undefined ? { field, text: email.taken } : undefined
  },
  confirmation: 'POST /email-changes/confirm',
  done: 'email',
})

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
    return accountFormPage(
      visit,
      { heading, intro, name: 'verification', button: { label } },
      tried?.refused,
    )
  },
  async send(visit) {
    const { request_id: requestId } = (await visit.call('POST /email-verifications')) as Requested
    return requestId === undefined
      ? 'verified'
      : codePage(visit, { name: 'verification', requestId })
  },
  // After a registration, the address of the page has the request of its mail.
  sentBefore: async ({ query }) => query.get('request_id'),
  faultOfSending: ({ status }) => (status === 409 ? 'home' : undefined),
  confirmation: 'POST /email-verifications/confirm',
  done: 'verified',
  ifConfirmed: 'home',
})
