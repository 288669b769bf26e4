// What the pages of an account share.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { fieldOf } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { actionsOf, faultOf, type Button } from '../../../pages/parts.ts'
import type { AccountHomeTexts } from '../../mail/messages/text-types.ts'
import { answerTo, type MaybeFault, type Refused, type ShownField } from '../account-pages/form.ts'
import { currentPassword } from '../account-pages/fields.ts'
import { formTokenField, page, type PageReader } from '../account-pages/page-parts.ts'
import type { ProfileFields } from '../account-pages/profile-fields.ts'
import type { EndpointName, OwnEndpoints } from './endpoints.ts'
import type { Kept } from '../login-pages/kept.ts'

/** The ids of the sections of the page. A login that comes from a section leads back to it. */
export type Section = 'profile' | 'sign-in' | 'devices' | 'delete'

/** A person who uses the page, and what the pages show of the settings. */
export interface Visit extends OwnEndpoints {
  readonly reader: PageReader
  /** The time of the visit, in milliseconds. */
  readonly now: number
  /** The path of the page, such as `/auth/account`. */
  readonly home: string
  /** The parameters of the address. */
  readonly query: URLSearchParams
  /** The name by which the person knows the account. */
  readonly account: string
  /** Logs the browser out that gets this answer. */
  loggedOut(answer: HttpAnswer): HttpAnswer
  /** Returns the new address that a link confirms, if it is a link of this person that works. */
  newAddressOf(token: string): Promise<string | undefined>
  /** What this browser keeps of a change that takes several pages. */
  readonly kept: Kept
  /** Returns a value of `Set-Cookie` with which the forms that were drawn so far do not work. */
  endForms(): string
  /** Whether the login of the browser has a second factor. */
  readonly hasFactor: boolean
  /** Whether the user must have a second factor. */
  readonly needsFactor: boolean
  /** Replaces the login, after a first app was set up in it: see `replaceLogin`. */
  replaceLogin(): Promise<readonly string[]>
  /** Returns a value of `Set-Cookie` that lets the page of the account say what is done. */
  say(done: Done): string
  readonly settings: AccountSettings
}

export interface AccountSettings {
  readonly profile: ProfileFields
  readonly minLength: number
  /** Whether users may set up an authenticator app. */
  readonly offersApp: boolean
  /** Whether a login may ask for no code, on a device that the person has chosen. */
  readonly remembersDevices: boolean
  /** How an authenticator app names the service. */
  readonly service: string
}

/** What a person has done. The page of the account says it. */
export type Done = keyof AccountHomeTexts['done']

/** One of the pages to which the page of the account leads: `/account/NAME`. */
export interface AccountPage {
  readonly name: string
  readonly section: Section
  /** What the OpenAPI document says about opening the page, and about sending its form. */
  readonly summaries: readonly [opened: string, sent: string]
  /** The endpoint that the page is for. If the endpoint is absent, so is the page. */
  readonly endpoint: EndpointName
  readonly fieldNames: readonly string[]
  /** The endpoint whose demand on the login the opened page has. Default: `endpoint`. */
  admits?(visit: Visit): EndpointName
  /** @param tried what the person has sent, and why it was refused */
  show(visit: Visit, tried?: Tried): HttpAnswer | Promise<HttpAnswer>
  /** Does what the form says. Returns the next page, or what is done. */
  submit(visit: Visit, form: Form): Promise<HttpAnswer | Done>
  /**
   * Answers a form of an earlier login, which does nothing. Undefined leads to the account, as do
   * pages without this.
   */
  answerStale?(visit: Visit, form: Form): Promise<HttpAnswer | undefined>
  /**
   * Returns what the page says about a refusal: undefined for the text that all pages show, `home`
   * if the account is not any more as the page has shown it.
   */
  faultOf(error: ProblemError, visit: Visit, form: Form): MaybeFault | 'home'
}

export interface Tried {
  readonly form: Form
  readonly refused: Refused
}

interface AccountForm {
  readonly heading: string
  readonly intro: string
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
export function formPage(
  visit: Visit,
  { heading, intro, before, cancel, after, button, ...form }: AccountForm,
  refused?: Refused,
): HttpAnswer {
  const { reader, home } = visit
  const texts = reader.texts.accountHome
  const back = { label: cancel ?? texts.back, href: home, kind: 'second' } as const
  const isOfField = form.fields?.some(({ name }) => name === refused?.field)
  return accountPage(
    reader,
    {
      heading,
      intro,
      content: markup`${refused && !isOfField ? faultOf(refused.text) : undefined}
${before}
${drawForm(visit, { ...form, end: actionsOf(button, back) }, refused)}
${after}`,
    },
    refused,
  )
}

/** Draws a form. Its faults stand at its fields. */
export function drawForm(
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

/** Returns a page of the account. Its forms send their origin. */
export function accountPage(
  reader: PageReader,
  shown: Omit<Parameters<typeof page>[1], 'referrerPolicy'>,
  refused?: Refused,
): HttpAnswer {
  return page(reader, { ...shown, referrerPolicy: 'same-origin', ...answerTo(refused) })
}

/** Returns the field of the request body that a refusal is about. */
export function fieldIn({ errors = [] }: ProblemError): string | undefined {
  return errors[0]?.loc[1]?.toString()
}

/** Asks for the password again, before a change. */
export function currentPasswordField({ reader }: Visit): ShownField {
  const label = reader.texts.accountHome.currentPassword
  return { ...currentPassword(reader), name: 'current_password', label }
}
