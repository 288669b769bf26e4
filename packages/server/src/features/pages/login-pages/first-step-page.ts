// The page at which a login begins, with links to what a person may want instead.
import type { HttpAnswer } from 'keystile/internal'
import { fieldOf } from '../../../pages/field.ts'
import type { Html } from '../../../pages/html.ts'
import { linksOf, noteOf, type Link } from '../../../pages/parts.ts'
import { loginField, passwordField } from '../account-pages/fields.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { faultyField, stepFormPage, type StepFault } from './step-form.ts'

/** Which links the page of the login has. */
export interface Offers {
  readonly forgotPassword: boolean
  readonly registration: boolean
}

interface ShownLogin {
  /** The name in the field. */
  readonly username?: string | undefined
  /** What the person has done before. */
  readonly done?: string | undefined
  /** Whether the login of this browser has ended without a log-out here. */
  readonly hasEnded?: boolean
  readonly fault?: StepFault
}

/** Name and password are on one page: a page that asks the name first would tell who exists. */
export function firstStepPage(
  reader: PageReader,
  offers: Offers,
  shown: ShownLogin = {},
): HttpAnswer {
  const { forgotPassword, registration } = offers
  const { username = '', fault } = shown
  const { loginPage: texts, login, forgot, register } = reader.texts
  const { base } = reader.brand
  const isTooMany = fault?.kind === 'refused' && fault.error.status === 429
  const links: readonly Link[] = [
    ...(forgotPassword ? [{ label: forgot.heading, href: `${base}/account/forgot-password` }] : []),
    ...(registration ? [{ label: register.link, href: `${base}/register` }] : []),
  ]
  return stepFormPage(reader, {
    heading: texts.heading,
    intro: `${texts.toAccount} ${reader.brand.name}`,
    before: noteBefore(shown, texts),
    action: `${base}/login`,
    fields: [
      fieldOf({
        ...loginField({ name: 'username', label: login }, username),
        hasFocus: !fault && username === '',
      }),
      faultyField({ ...passwordField(reader), hasFocus: !fault && username !== '' }, fault),
    ],
    button: texts.button,
    fault: isTooMany ? withWays(fault, username, texts, offers) : fault,
    after: linksOf(...links),
  })
}

/** Says how a person can log in without waiting. Strangers may have used up the limit. */
function withWays(
  fault: StepFault,
  username: string,
  { meanwhile }: PageReader['texts']['loginPage'],
  { forgotPassword }: Offers,
): StepFault {
  const other = username.includes('@') ? meanwhile.byUsername : meanwhile.byEmail
  const text = `${fault.text} ${other}`
  return { ...fault, text: forgotPassword ? `${text} ${meanwhile.byMail}` : text }
}

function noteBefore(
  { done, hasEnded }: ShownLogin,
  { ended }: PageReader['texts']['loginPage'],
): Html | undefined {
  if (done !== undefined) return noteOf(done, { tone: 'done' })
  return hasEnded ? noteOf(ended, { icon: 'lock' }) : undefined
}
