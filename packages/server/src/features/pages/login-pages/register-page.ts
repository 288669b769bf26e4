// What the pages of a registration look like, and what they say about a refusal.
import { ProblemError, type HttpAnswer } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { markup } from '../../../pages/html.ts'
import { detailsOf, linkedOf } from '../../../pages/parts.ts'
import { acceptanceFields } from '../account-pages/acceptance.ts'
import {
  codeField,
  currentPassword,
  emailField,
  fieldFaults,
  loginName,
  newPassword,
} from '../account-pages/fields.ts'
import {
  answerTo,
  drawForm,
  generalFault,
  type Fault,
  type MaybeFault,
  type Refused,
  type ShownField,
} from '../account-pages/form.ts'
import { page, type PageReader } from '../account-pages/page-parts.ts'
import { confirmationFault } from '../account-pages/pages.ts'
import type { RegistrationParts } from './registration-parts.ts'

/** What decides about the fields and hints of the form. */
type FormParts = Pick<RegistrationParts, 'profile' | 'minLength' | 'confirm'>

export function registerPage(
  reader: PageReader,
  { profile, minLength, confirm }: FormParts,
  typed: Form = new Map(),
  refused?: Refused,
): HttpAnswer {
  const { texts, brand } = reader
  const { heading, haveOne, button, emailHint } = texts.register
  const faulty = [refused, ...(refused?.others ?? [])].map((fault) => fault?.field)
  const email = typed.get('email') ?? ''
  const fields: readonly ShownField[] = [
    loginName(
      {
        name: 'username',
        label: texts.username,
        // The fault of this field says the same.
        hint: faulty.includes('username') ? undefined : texts.usernameHint,
      },
      typed.get('username') ?? '',
    ),
    emailField(
      {
        name: 'email',
        label: texts.accountHome.email.title,
        hint: confirm ? emailHint : undefined,
      },
      email,
    ),
    newPassword({ name: 'password', label: texts.password }, texts, { minLength, refused }),
    ...profile.show(typed, texts),
    ...acceptanceFields(reader, typed),
  ]
  return page(reader, {
    heading,
    intro: linkedOf(haveOne, { href: `${brand.base}/login` }),
    content: drawForm(reader, { action: `${brand.base}/register`, fields, button, refused }),
    referrerPolicy: 'same-origin',
    ...answerTo(refused),
  })
}

/**
 * Asks for the code of the mail. Says the same whether or not the address has an account.
 *
 * @param typed the id of the registration, its address, and what the person has typed here
 */
export function sentPage(reader: PageReader, typed: Form, refused?: Refused): HttpAnswer {
  const { texts, brand } = reader
  const { heading, intro, button, noMail, advice } = texts.register.sent
  const email = typed.get('email') ?? ''
  const sends = { registration_id: typed.get('registration_id') ?? '', email }
  // If another person has got the name meanwhile, the page asks for another name, until one is
  // accepted. It asks for the password too, whose rules depend on the name. Before the first
  // refusal, `typed` is the form of the registration, whose name may be free.
  const asksName = refused && (refused.field === 'username' || typed.has('username'))
  const otherName = { name: 'username', label: texts.otherUsername }
  const fields = [
    codeField(texts, typed),
    ...(asksName
      ? [loginName(otherName, typed.get('username') ?? ''), currentPassword(reader)]
      : []),
  ]
  const form = drawForm(reader, {
    action: `${brand.base}/register/code`,
    sends,
    fields,
    button,
    refused,
  })
  const again = linkedOf(advice, { href: `${brand.base}/register` })
  return page(reader, {
    heading,
    intro: intro(email),
    emblem: { icon: 'mail' },
    content: markup`${form}\n${detailsOf(noMail, markup`<p class="soft">${again}</p>`)}`,
    referrerPolicy: 'same-origin',
    ...answerTo(refused),
  })
}

/** Says why a registration was refused. Throws all other errors again. */
export function refusedRegistration(error: unknown, reader: PageReader): Refused {
  return refusedBy(error, reader, (refusal) => {
    const [first, ...others] = fieldFaults(refusal, reader).map((fault) => ({
      ...fault,
      ...ownText(fault, refusal, reader),
    }))
    return first && { ...first, others }
  })
}

/** Returns the text about a name or an address, in the language of the reader. */
function ownText(
  { field }: Fault,
  { status }: ProblemError,
  { texts }: PageReader,
): { readonly text?: string } {
  const isTaken = status === 409
  const { register, usernameHint, accountHome } = texts
  if (field === 'username') return { text: isTaken ? register.usernameTaken : usernameHint }
  if (field === 'email') return { text: isTaken ? register.emailTaken : accountHome.email.invalid }
  return {}
}

/** Says why a code was refused. Throws all other errors again. */
export function refusedCode(error: unknown, reader: PageReader): Refused {
  return refusedBy(error, reader, (refusal) => {
    const wrongCode = { field: 'code', text: reader.texts.faults.wrongCode }
    return confirmationFault(refusal, reader) ?? (refusal.status === 403 ? wrongCode : undefined)
  })
}

function refusedBy(
  error: unknown,
  reader: PageReader,
  faultOf: (refusal: ProblemError) => MaybeFault,
): Refused {
  if (!(error instanceof ProblemError)) throw error
  return { error, ...(faultOf(error) ?? generalFault(error, reader)) }
}
