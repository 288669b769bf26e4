// How the pages of the account draw their forms.
import type { HttpAnswer } from 'keystile/internal'
import { fieldOf } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { actionsOf, faultOf, type Button, type Emblem } from '../../../pages/parts.ts'
import type { Refused } from '../account-pages/faults.ts'
import { passwordField } from '../account-pages/fields.ts'
import { formTokenField, sameOriginPage, type ShownField } from '../account-pages/form.ts'
import type { Visit } from './visit.ts'

interface AccountForm {
  readonly heading: string
  readonly intro: string
  readonly emblem?: Emblem
  /** The name of the page that gets the form. */
  readonly name: string
  readonly before?: Html | undefined
  readonly hidden?: Html | undefined
  readonly fields?: readonly ShownField[]
  readonly button: Omit<Button, 'href'>
  readonly cancel?: string
  readonly after?: Html | undefined
}

/** Draws a page with one form. A second button leads back to the account. */
export function accountFormPage(
  visit: Visit,
  { heading, intro, emblem, before, cancel, after, button, ...form }: AccountForm,
  refused?: Refused,
): HttpAnswer {
  const { reader, home } = visit
  const texts = reader.texts.accountHome
  const back = { label: cancel ?? texts.back, href: home, kind: 'second' } as const
  const isOfField = form.fields?.some(({ name }) => name === refused?.field)
  const content = markup`${refused && !isOfField ? faultOf(refused.text) : undefined}
${before}
${drawAccountForm(visit, { ...form, end: actionsOf(button, back) }, refused)}
${after}`
  return sameOriginPage(reader, { heading, intro, emblem, content }, refused)
}

/** Draws a form. Its faults stand at its fields. */
export function drawAccountForm(
  { home, reader }: Pick<Visit, 'home' | 'reader'>,
  {
    name,
    hidden,
    fields = [],
    end,
  }: Pick<AccountForm, 'name' | 'hidden' | 'fields'> & { readonly end: Html },
  refused?: Refused,
): Html {
  const faultAt = (field: string): Html | undefined =>
    refused?.field === field ? markup`${refused.text}` : undefined
  const drawn = fields.map((field) => fieldOf({ ...field, fault: faultAt(field.name) }))
  return markup`<form method="post" action="${home}/${name}">
${formTokenField(reader)}${hidden}
${joined(drawn.map((field) => markup`${field}\n`))}
${end}
</form>`
}

/** The field with which a form begins anew, instead of going on with what the browser keeps. */
export const beginsAnew = 'begin'

/** Writes a button, which looks like a link, with which a person begins anew on a page. */
export function anewButton({ home, reader }: Visit, name: string, label: string): Html {
  return markup`<form class="links" method="post" action="${home}/${name}">
${formTokenField(reader)}<button name="${beginsAnew}" value="1">${label}</button>
</form>`
}

/** Asks for the password again, before a change. */
export function currentPasswordField({ reader }: Visit): ShownField {
  const label = reader.texts.accountHome.currentPassword
  return { ...passwordField(reader), name: 'current_password', label }
}
