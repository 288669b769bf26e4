// What the pages of a registration look like.
import type { HttpAnswer } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { markup } from '../../../pages/html.ts'
import { detailsOf, linkedOf } from '../../../pages/parts.ts'
import { acceptanceFields } from '../account-pages/acceptance.ts'
import { allFaults, type Refused } from '../account-pages/faults.ts'
import {
  emailField,
  loginField,
  mailCodeField,
  newPasswordField,
  passwordField,
} from '../account-pages/fields.ts'
import { drawForm, sameOriginPage, type ShownField } from '../account-pages/form.ts'
import type { PageReader } from '../account-pages/reader.ts'
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
  const isNameFaulty = allFaults(refused).some(({ field }) => field === 'username')
  const username = {
    name: 'username',
    label: texts.username,
    // The fault of this field says the same.
    hint: isNameFaulty ? undefined : texts.usernameHint,
  }
  const email = {
    name: 'email',
    label: texts.accountHome.email.title,
    hint: confirm ? emailHint : undefined,
  }
  const fields: readonly ShownField[] = [
    loginField(username, typed.get('username') ?? ''),
    emailField(email, typed.get('email') ?? ''),
    newPasswordField({ name: 'password', label: texts.password }, texts, { minLength, refused }),
    ...profile.show(typed, texts),
    ...acceptanceFields(reader, typed),
  ]
  const form = { action: `${brand.base}/register`, fields, button, refused }
  const intro = linkedOf(haveOne, { href: `${brand.base}/login` })
  return sameOriginPage(reader, { heading, intro, content: drawForm(reader, form) }, refused)
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
    mailCodeField(texts, typed),
    ...(asksName
      ? [
          loginField(otherName, typed.get('username') ?? ''),
          { ...passwordField(reader), hint: texts.register.sent.passwordHint },
        ]
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
  const help = detailsOf(noMail, markup`<p class="soft">${again}</p>`)
  return sameOriginPage(
    reader,
    {
      heading,
      intro: intro(email),
      emblem: { icon: 'mail' },
      content: markup`${form}\n${help}`,
    },
    refused,
  )
}
