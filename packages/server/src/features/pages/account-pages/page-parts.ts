// What all pages for the links in mails share.
import {
  OAuthError,
  ProblemError,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import { readForm, type Form } from '../../../http/form.ts'
import type { OpenRoute, RouteDoc } from '../../../http/route.ts'
import { passwordFaultCodes, type PasswordFault } from '../../credentials/password-policy/policy.ts'
import { preferredLanguage } from '../../mail/messages/language.ts'
import type { Language } from '../../mail/messages/message.ts'
import type { PageTexts } from '../../mail/messages/text-types.ts'
import { texts } from '../../mail/messages/texts.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { pageAnswer, type Page } from '../../../pages/layout.ts'

export interface PageSettings {
  readonly issuer: string
  /** The language of a page if the browser asks for none of the four languages that pages have. */
  readonly mailLanguage: Language
  readonly corsOrigins?: readonly string[] | undefined
}

/** Returns where people go on: the only origin in `corsOrigins`, or the root of the issuer. */
export function nextUrlOf({ issuer, corsOrigins = [] }: Omit<PageSettings, 'mailLanguage'>): URL {
  const [origin = issuer, ...others] = corsOrigins.filter((one) => URL.canParse(one))
  return new URL('/', others.length === 0 ? origin : issuer)
}

export interface PageReader {
  readonly language: Language
  readonly texts: PageTexts
  /**
   * The service where the person has the account: the host of the issuer, such as
   * `auth.example.com`.
   */
  readonly service: string
  /** Where the person goes on. */
  readonly next: URL
}

export function readerOf({ headers }: HttpRequestWithBody, settings: PageSettings): PageReader {
  const language = preferredLanguage(headers.get('accept-language')) ?? settings.mailLanguage
  const service = new URL(settings.issuer).host
  return { language, texts: texts[language].pages, service, next: nextUrlOf(settings) }
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

/**
 * Returns the rule that a refused form broke, in the language of the reader if the rule is about a
 * password. The other rules write their messages only in English.
 *
 * @param before a sentence in the language of the reader, before a message in English
 */
export function brokenRule(
  { message, errors = [] }: ProblemError,
  { language, texts: { passwordFaults } }: PageReader,
  before: string,
): Html {
  const code = passwordFaultOf({ errors })
  if (code && passwordFaults) return markup`${passwordFaults[code]}`

  const english = markup`<span lang="en">${errors[0]?.msg ?? message}.</span>`
  return language === 'en' ? english : markup`${before} ${english}`
}

/** Returns the rule of the password policy that a form broke, if it broke one. */
export function passwordFaultOf({
  errors = [],
}: Pick<ProblemError, 'errors'>): PasswordFault['code'] | undefined {
  return passwordFaultCodes.find((known) => known === errors[0]?.type)
}

export function page(
  { language, service }: PageReader,
  heading: string,
  content: Html,
  { status = 200, retryAfterSeconds }: Partial<Pick<Page, 'status' | 'retryAfterSeconds'>> = {},
): HttpAnswer {
  return pageAnswer({ language, service, heading, content, status, retryAfterSeconds })
}

/** Returns a link to where the person goes on: to the app, or to the start page. */
export function continueLink({ next, texts }: PageReader, style?: 'button'): Html {
  const attributes = style && markup` class="${style}"`
  return markup`<a${attributes} href="${next.href}">${texts.continueTo} ${next.host}</a>`
}
