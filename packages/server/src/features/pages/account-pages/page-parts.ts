// What all pages for the links in mails share.
import {
  OAuthError,
  ProblemError,
  type HttpAnswer,
  type HttpRequestWithBody,
  type JsonObject,
} from 'keystile/internal'
import { readForm, type Form } from '../../../http/form.ts'
import type { OpenRoute, RouteDoc } from '../../../http/route.ts'
import { passwordFaultCodes, type PasswordFault } from '../../credentials/password-policy/policy.ts'
import { parseLanguage, preferredOf } from '../../mail/messages/language.ts'
import type { Language } from '../../mail/messages/message.ts'
import type { PageTexts } from '../../mail/messages/text-types.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import type { Brand } from '../../../pages/brand.ts'
import { hiddenField } from '../../../pages/field.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { pageAnswer, type Page } from '../../../pages/layout.ts'
import type { Button, Link } from '../../../pages/parts.ts'

export interface PageReader {
  readonly language: string
  /** The language of the mails that the person asks for. */
  readonly mailLanguage: Language
  readonly texts: PageTexts
  readonly brand: Brand
  readonly hasLogin: boolean
  /** See `PageCookies`. Undefined on pages that know no cookies. */
  readonly formToken?: string
}

export function readerOf({ headers }: HttpRequestWithBody, settings: PageSettings): PageReader {
  const { brand, texts, mailLanguage, hasLogin } = settings
  const preferred = preferredOf(Object.keys(texts), headers.get('accept-language'))
  const language = preferred ?? mailLanguage
  return {
    language,
    mailLanguage: parseLanguage(language) ?? mailLanguage,
    texts: texts[language] ?? texts[mailLanguage],
    brand,
    hasLogin,
  }
}

export function pageRoute(
  method: 'GET' | 'POST',
  path: string,
  summary: string,
  { handle, ...doc }: Pick<OpenRoute, 'handle'> & Pick<RouteDoc, 'query' | 'body' | 'refuses'>,
): OpenRoute {
  const success = { status: 200, description: 'A page', type: 'text/html' } as const
  return {
    method,
    path,
    below: 'issuer',
    refusals: 'problem',
    doc: { tag: 'Own account', summary: `Page: ${summary}`, ...doc, success },
    handle,
  }
}

/** Describes the form of a page, and its refusals by HTTP status. */
export function describeForm(
  fields: readonly string[],
  refuses: RouteDoc['refuses'] = {},
): Pick<RouteDoc, 'body' | 'refuses'> {
  const properties = fields.map((name) => [name, { type: 'string' }] as const)
  const schema = { type: 'object', properties: Object.fromEntries(properties) }
  return {
    body: { type: 'form', schema },
    refuses: {
      403: 'A page: the link or the code is wrong, was used before, or has expired',
      422: 'A page: the password is not acceptable',
      429: 'A page: too many tries',
      ...refuses,
    },
  }
}

/** The name of the hidden field with the `formToken`. No field of a profile may have it. */
export const formTokenName = 'form_token'

export function formTokenField({ formToken }: PageReader): Html | undefined {
  return formToken === undefined ? undefined : markup`${hiddenField(formTokenName, formToken)}\n`
}

/** Describes a form that works only with the cookies with which it was drawn. */
export const describeBoundForm: typeof describeForm = (fields, refuses) =>
  describeForm([...fields, formTokenName], refuses)

/**
 * Reads the form of a page.
 *
 * @throws {ProblemError} `bad_request` if the body is not a form, `content_too_large` if the body
 *   is too large
 */
export function readPageForm(request: HttpRequestWithBody): Promise<Form> {
  return readForm(request).catch((error: unknown) => {
    if (error instanceof OAuthError) throw new ProblemError('bad_request', error.message)
    throw error
  })
}

/** Returns a request of an endpoint: its body is JSON, in place of the form. */
export function withJson(request: HttpRequestWithBody, json: JsonObject = {}): HttpRequestWithBody {
  const bytes = new TextEncoder().encode(JSON.stringify(json))
  const get = (name: string): string | null | undefined =>
    name.toLowerCase() === 'content-type' ? 'application/json' : request.headers.get(name)
  return { ...request, headers: { get }, body: async () => bytes }
}

/**
 * Returns the rule that a refused form broke, in the language of the reader if the rule is about a
 * password. The other rules write their messages only in English.
 *
 * @param before a sentence in the language of the reader, before a message in English
 */
export function brokenRule(
  { message, errors = [] }: Pick<ProblemError, 'message' | 'errors'>,
  { language, texts: { passwordFaults } }: PageReader,
  before: string,
): Html {
  const code = passwordFaultOf({ errors })
  if (code && passwordFaults) return markup`${passwordFaults[code]}`

  const english = markup`<span lang="en">${errors[0]?.msg ?? message}.</span>`
  return language === 'en' ? english : markup`${before} ${english}`
}

/** Returns the rule of the password policy that a form broke, also beside other faults. */
export function passwordFaultOf({
  errors = [],
}: Pick<ProblemError, 'errors'>): PasswordFault['code'] | undefined {
  return passwordFaultCodes.find((known) => errors.some(({ type }) => type === known))
}

/** Returns a page in the language of the reader, with the look of the app. */
export function page(
  { language, brand, texts }: PageReader,
  shown: Omit<Page, 'language' | 'brand' | 'words'>,
): HttpAnswer {
  return pageAnswer({ ...shown, language, brand, words: texts.layout })
}

/** Returns the button to where the person goes on: to the app, or to the start page. */
export function continueButton({ brand: { next }, texts }: PageReader): Button {
  return { label: `${texts.continueTo} ${next.name}`, href: next.href }
}

/**
 * Where a page leads: to the login or to the account, if people log in at Keystile's pages, or to
 * the page that sends a mail to set a new password.
 */
export type End = 'login' | 'account' | 'password'

/**
 * Returns the buttons with which a page ends: to the app, and to Keystile's own page. The app comes
 * first, because most people opened the link to use it, and a login at `/login` does not log in to
 * it. Only a page for a new password comes before it, because the old one does not work any more.
 * `/account` leads a person who is not logged in to `/login`, and `/login` one who is to
 * `/account`.
 */
export function endButtons(reader: PageReader, end: End): readonly Button[] {
  const { brand, hasLogin, texts } = reader
  const toApp = continueButton(reader)
  if (!hasLogin && end !== 'password') return [toApp]

  const ends: Readonly<Record<End, Button>> = {
    login: { label: texts.loginPage.button, href: `${brand.base}/login` },
    account: { label: texts.accountHome.back, href: `${brand.base}/account` },
    password: { label: texts.reset.heading, href: `${brand.base}/account/forgot-password` },
  }
  const [own, second] = [ends[end], 'second'] as const
  if (!brand.next.isApp) return [own]
  if (end === 'password') return [own, { ...toApp, kind: second }]
  return [toApp, { ...own, kind: second }]
}

/** Returns the link away from a form: to the login, or to the app. */
export function backLink(reader: PageReader): Link | undefined {
  const { brand, hasLogin, texts } = reader
  if (hasLogin) return { label: texts.loginPage.back, href: `${brand.base}/login` }
  if (!brand.next.isApp) return undefined
  return { label: `${texts.continueTo} ${brand.next.name}`, href: brand.next.href }
}
