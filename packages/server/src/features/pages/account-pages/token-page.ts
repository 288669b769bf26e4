// A page for the link in a mail: it shows a form, and only the button of the form changes anything.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { queryOf, type OpenRoute } from '../../../http/route.ts'
import { markup, type Html } from '../../../pages/html.ts'
import { fieldOf, type Field } from '../../../pages/layout.ts'
import {
  brokenRule,
  donePage,
  page,
  pageRoute,
  readPageForm,
  readerOf,
  type PageReader,
  type PageSettings,
} from './page-parts.ts'
import { usedLinkPage } from './used-link.ts'

export interface TokenPageTexts {
  readonly heading: string
  readonly intro: string
  readonly button: string
  readonly done: { readonly heading: string; readonly text: string }
  /** What to do if the link was used or has expired. */
  readonly used: string
}

/** The texts, in one language, that are the same on every `TokenPage`. */
export interface SharedTexts {
  readonly noToken: string
  readonly faults: {
    readonly password: string
    readonly input: string
    readonly taken: string
    readonly tooMany: string
    readonly unavailable: string
  }
}

/** A page for a link, with a form that sends the token and some fields. */
export interface TokenPage {
  /** The last part of the path of the page: the page is at `/account/NAME`. */
  readonly name: string
  readonly summary: string
  /** The names of the fields of the form, besides the token. */
  readonly fieldNames: readonly string[]
  readonly asksPassword?: true
  texts(reader: PageReader): TokenPageTexts
  shared(reader: PageReader): SharedTexts
  /**
   * Returns the fields of the form. `typed` has the values from the person's last try, without
   * passwords.
   */
  fields(reader: PageReader, typed: Form): readonly Omit<Field, 'fault'>[]
  /** Whether the token of a link can still be used. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /**
   * Does what the button of the form says. If this function throws a refusal, the page shows it.
   */
  submit(form: Form, request: HttpRequestWithBody): Promise<void>
}

/** Makes the two routes of a page: `GET` shows the form, and `POST` receives the form. */
export function tokenPageRoutes(kind: TokenPage, settings: PageSettings): readonly OpenRoute[] {
  const { name, summary, fieldNames } = kind
  const uncapitalized = summary.charAt(0).toLowerCase() + summary.slice(1)
  return [
    pageRoute('GET', `/account/${name}`, summary, {
      query: { token: { type: 'string' } },
      handle: (request) => openLink(request, kind, settings),
    }),
    pageRoute('POST', `/account/${name}`, `Submit the form to ${uncapitalized}`, {
      fields: ['token', ...fieldNames],
      refuses: {
        403: 'A page: the link or the password is wrong, or the link was used or has expired',
        422: 'A page: a field is not acceptable',
        ...(fieldNames.includes('username') && {
          409: 'A page: the user name or the address is taken',
        }),
      },
      handle: (request) => submitForm(request, kind, settings),
    }),
  ]
}

/**
 * Shows the form for a link, or says that the link does not work any more. Does not use up the
 * token of the link, because mail scanners open links too.
 */
async function openLink(
  request: HttpRequestWithBody,
  kind: TokenPage,
  settings: PageSettings,
): Promise<HttpAnswer> {
  const reader = readerOf(request, settings)
  const token = queryOf(request).get('token')
  const { heading, used } = kind.texts(reader)
  if (!token) return page(reader, heading, markup`<p>${kind.shared(reader).noToken}</p>`)
  if (!(await kind.isOpen(token))) return usedLinkPage(reader, used)
  return formPage(reader, kind, new Map([['token', token]]))
}

async function submitForm(
  request: HttpRequestWithBody,
  kind: TokenPage,
  settings: PageSettings,
): Promise<HttpAnswer> {
  const reader = readerOf(request, settings)
  const form = await readPageForm(request)
  try {
    await kind.submit(form, request)
    return donePage(reader, kind.texts(reader).done)
  } catch (error) {
    const refused = refusedOf(error, kind.shared(reader), reader)
    if (refused.status !== 403) return formPage(reader, kind, form, refused)

    // The link is not at fault if it still works.
    const isOfPassword = kind.asksPassword && (await kind.isOpen(form.get('token') ?? ''))
    if (isOfPassword) return formPage(reader, kind, form, { ...refused, field: 'password' })
    return usedLinkPage(reader, kind.texts(reader).used)
  }
}

interface Refused {
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  /** The name of the field that has the fault; undefined if the fault is not in a field. */
  readonly field: string | undefined
  readonly fault: Html
}

function formPage(reader: PageReader, kind: TokenPage, typed: Form, refused?: Refused): HttpAnswer {
  const { heading, intro, button } = kind.texts(reader)
  const isKnown = kind.fieldNames.some((name) => name === refused?.field)
  const general = isKnown ? undefined : refused?.fault
  const fields = kind
    .fields(reader, typed)
    .map((field) =>
      fieldOf({ ...field, fault: field.name === refused?.field ? refused.fault : undefined }),
    )
  const content = markup`<p>${intro}</p>
${general && markup`<p class="fault" role="alert">${general}</p>`}
<form method="post" action="${kind.name}">
<input type="hidden" name="token" value="${typed.get('token') ?? ''}">
${fields.reduce((all, field) => markup`${all}${field}\n`, markup``)}
<button>${button}</button>
</form>`
  return page(reader, heading, content, refused)
}

/**
 * Converts a refusal into what the page shows. Rethrows every error that is not a `ProblemError`.
 */
function refusedOf(error: unknown, { faults }: SharedTexts, { language }: PageReader): Refused {
  if (!(error instanceof ProblemError)) throw error

  const { status, retryAfterSeconds, errors = [] } = error
  const field = errors[0]?.loc[1]?.toString()
  const shared = { status, retryAfterSeconds, field }
  if (status === 422) return { ...shared, fault: brokenRule(error, language, faults.input) }

  if (status === 403) return { ...shared, fault: markup`${faults.password}` }
  if (status === 409) return { ...shared, fault: markup`${faults.taken}` }
  return { ...shared, fault: markup`${status === 429 ? faults.tooMany : faults.unavailable}` }
}
