// A page with two steps: the form of the first sends a mail, and that of the second has its code.
// Only the second has the field `request_id`, so this field tells to which step a form belongs.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { hiddenField } from '../../../pages/field.ts'
import { markup, type Html } from '../../../pages/html.ts'
import type { Fault } from '../account-pages/faults.ts'
import { requestName } from '../account-pages/field-names.ts'
import { mailCodeField } from '../account-pages/fields.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage, Tried } from './account-page.ts'
import type { EndpointName } from './endpoint-answers.ts'
import { addressConfirmed } from './pending-email.ts'
import type { Done, Visit } from './visit.ts'

interface MailCodePage extends Pick<AccountPage, 'name' | 'summaries' | 'endpoint' | 'fieldNames'> {
  readonly mail: MailStep
  readonly code: CodeStep
}

interface MailStep extends Pick<AccountPage, 'show'> {
  /** Sends the mail. Returns its request, the next page, or what is done without a code. */
  send(visit: Visit, form: Form): Promise<SentMail | HttpAnswer | Done>
  faultOf(error: ProblemError, visit: Visit): Fault | 'home' | undefined
}

interface SentMail {
  readonly requestId: string
}

interface CodeStep {
  /** Returns the id of a request whose mail is on its way before the page is opened. */
  sentBefore(visit: Visit): Promise<string | null | undefined>
  /** Returns the address of the mail. `form` is a form with a code that was refused. */
  addressOf(visit: Visit, form: Form | undefined): Promise<string>
  /** The field of the first form with the address. Undefined if it is that of the account. */
  readonly addressField?: string
  /** What the page of the code also offers, as HTML. */
  otherwise?(visit: Visit): Html
  /** The endpoint that gets the code. */
  readonly endpoint: EndpointName
  readonly done: Done
  /** Where a person goes if the endpoint answers 409: the address is confirmed already. */
  readonly ifConfirmed?: 'home'
}

export function mailCodePage({ mail, code, ...page }: MailCodePage): AccountPage {
  const { name } = page
  return {
    ...page,
    section: 'profile',
    fieldNames: [...page.fieldNames, requestName, 'code'],
    async show(visit, tried) {
      const requestId = tried ? tried.form.get(requestName) : await code.sentBefore(visit)
      return requestId
        ? codeView(visit, { ...code, name, requestId }, tried)
        : mail.show(visit, tried)
    },
    async submit(visit, form) {
      const requestId = form.get(requestName)
      if (requestId !== undefined) return confirm(visit, code, requestId, form)

      const sent = await mail.send(visit, form)
      const isSent = typeof sent === 'object' && 'requestId' in sent
      return isSent ? codeView(visit, { ...code, name, requestId: sent.requestId }) : sent
    },
    faultOf(error, visit, form) {
      if (!form.has(requestName)) return mail.faultOf(error, visit)
      if (error.status === 409) return code.ifConfirmed
      const isWrong = error.status === 403 || error.status === 422
      return isWrong ? { field: 'code', text: visit.reader.texts.faults.wrongCode } : undefined
    },
  }
}

async function confirm(
  visit: Visit,
  { endpoint, done }: CodeStep,
  requestId: string,
  form: Form,
): Promise<HttpAnswer> {
  const json = { request_id: requestId, code: form.get('code') ?? '' }
  await visit.call(endpoint, { json })
  return addressConfirmed(visit, done)
}

interface CodeView extends Pick<CodeStep, 'addressOf' | 'addressField' | 'otherwise'> {
  /** The name of the page. */
  readonly name: string
  readonly requestId: string
}

/** Asks for the code of the mail that was sent for a request. */
async function codeView(
  visit: Visit,
  { name, requestId, addressOf, addressField, otherwise }: CodeView,
  tried?: Tried,
): Promise<HttpAnswer> {
  const { texts } = visit.reader
  const { heading, intro, button: label } = texts.accountHome.verification.sent
  const address = await addressOf(visit, tried?.form)
  return accountFormPage(
    visit,
    {
      heading,
      intro: intro(address),
      emblem: { icon: 'mail' },
      name,
      hidden: markup`${hiddenField(requestName, requestId)}
${addressField && hiddenField(addressField, address)}`,
      fields: [mailCodeField(texts)],
      button: { label },
      after: otherwise?.(visit),
    },
    tried?.refused,
  )
}
