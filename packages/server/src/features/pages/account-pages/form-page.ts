// A page that the link in a mail opens. Only the button of its form changes anything.
import { ProblemError, type HttpAnswer, type HttpRequestWithBody } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { queryOf, type OpenRoute } from '../../../http/route.ts'
import { fieldOf, type Field, hiddenField } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { Page } from '../../../pages/layout.ts'
import {
  actionsOf,
  buttonOf,
  faultOf,
  linksOf,
  type Button,
  type Emblem,
} from '../../../pages/parts.ts'
import type { FormTexts } from '../../mail/messages/text-types.ts'
import {
  backLink,
  describeForm,
  endButtons,
  type End,
  formTokenField,
  page,
  pageRoute,
  readPageForm,
  readerOf,
  type PageReader,
} from './page-parts.ts'
import type { PageSettings } from '../brand/page-settings.ts'

export interface FormPage {
  /** The last part of the path of the page: the page is at `/account/NAME`. */
  readonly name: string
  /** What the OpenAPI document says about opening the page, such as `Accept an invitation`. */
  readonly summary: string
  /** What it says about sending the form. Default: `Submit the form to accept an invitation`. */
  readonly sentSummary?: string
  /** Descriptions of refusals that differ from those of `pageRoute()`, by HTTP status. */
  readonly refuses?: Readonly<Record<number, string>>
  /** The names of the fields of the form, besides the token. */
  readonly fieldNames: readonly string[]
  /** Where the flow ends. Default: at the login. */
  readonly end?: End
  /** A link to the page where a person asks for another mail. */
  again?(reader: PageReader): { readonly href: string; readonly label: string }
  texts(reader: PageReader, typed: Form, refused?: Refused): ShownTexts
  /**
   * Returns the fields of the form. `typed` has the values from the person's last try. A password
   * is not shown again.
   */
  fields(reader: PageReader, typed: Form, refused?: Refused): readonly ShownField[]
  /** Whether the token of a link can still be used. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /** Does what the button of the form says. If it throws a `ProblemError`, the page shows it. */
  submit(form: Form, request: HttpRequestWithBody, reader: PageReader): Promise<unknown>
  /**
   * Returns which field a refusal is about, and what the page says. Undefined if the link does not
   * work (403), or for the text that all pages show.
   */
  faultOf(error: ProblemError, reader: PageReader, form: Form): MaybeFault | Promise<MaybeFault>
}

type ShownTexts = FormTexts & {
  readonly intro?: string
  readonly noToken?: string
  readonly emblem?: Emblem
}
export type ShownField = Omit<Field, 'fault' | 'isLater'>

export interface Fault {
  /** The name of the field that has the fault; undefined if the fault is not in a field. */
  readonly field?: string | undefined
  readonly text: string | Html
  /** The faults of other fields. */
  readonly others?: readonly Fault[]
}
export type MaybeFault = Fault | undefined

export interface Refused extends Fault {
  readonly error: ProblemError
}

/** Makes the two routes of a page: `GET` shows the form, and `POST` receives the form. */
export function formPageRoutes(shown: FormPage, settings: PageSettings): readonly OpenRoute[] {
  const { name, summary, fieldNames, refuses } = shown
  const submits = `Submit the form to ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`
  return [
    pageRoute('GET', `/account/${name}`, summary, {
      query: { token: { type: 'string' } },
      refuses: { 403: 'A page: the link was used or has expired' },
      handle: (request) =>
        openLink(queryOf(request).get('token') ?? '', readerOf(request, settings), shown),
    }),
    pageRoute('POST', `/account/${name}`, shown.sentSummary ?? submits, {
      ...describeForm(['token', ...fieldNames], refuses),
      handle: (request) => submitForm(request, readerOf(request, settings), shown),
    }),
  ]
}

/**
 * Shows the form for a link, or says that the link does not work any more. Does not use up the
 * token of the link, because mail scanners open links too.
 */
async function openLink(token: string, reader: PageReader, shown: FormPage): Promise<HttpAnswer> {
  const typed = new Map([['token', token]])
  if (token !== '')
    return (await shown.isOpen(token))
      ? formPage(reader, shown, typed)
      : usedLinkPage(reader, shown, typed)

  const { heading, noToken = reader.texts.noToken } = shown.texts(reader, typed)
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro: noToken, emblem: { icon: 'link' }, content })
}

async function submitForm(
  request: HttpRequestWithBody,
  reader: PageReader,
  shown: FormPage,
): Promise<HttpAnswer> {
  const form = await readPageForm(request)
  try {
    await shown.submit(form, request, reader)
    const { heading, text: intro } = shown.texts(reader, form).done
    const content = actionsOf(...endButtons(reader, shown.end ?? 'login'))
    return page(reader, { heading, intro, emblem: { icon: 'check', tone: 'done' }, content })
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error

    const fault = await shown.faultOf(error, reader, form)
    if (error.status === 403 && !fault) return usedLinkPage(reader, shown, form)
    return formPage(reader, shown, form, { error, ...(fault ?? generalFault(error, reader)) })
  }
}

/** Returns what all pages say if a service has no time for a request. */
export function generalFault(
  { status, retryAfterSeconds = 0 }: ProblemError,
  { language, texts: { faults } }: PageReader,
): { readonly text: string } {
  if (status !== 429) return { text: faults.unavailable }
  return { text: faults.tooMany(waitOf(retryAfterSeconds, language)) }
}

/** Writes how long a person waits, in minutes or hours. */
function waitOf(seconds: number, language: string): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  const [length, unit] = minutes < 120 ? [minutes, 'minute'] : [Math.ceil(minutes / 60), 'hour']
  return length.toLocaleString(language, { style: 'unit', unit, unitDisplay: 'long' })
}

export function formPage(
  reader: PageReader,
  shown: FormPage,
  typed: Form,
  refused?: Refused,
): HttpAnswer {
  const { heading, intro, emblem, button } = shown.texts(reader, typed, refused)
  const byCode = shown.fieldNames.includes('request_id') && typed.has('request_id')
  const hidden = byCode ? 'request_id' : 'token'
  const fields = shown.fields(reader, typed, refused)
  const sends = { [hidden]: typed.get(hidden) ?? '' }
  const form = drawForm(reader, { button, action: shown.name, sends, fields, refused })
  const again = refused || byCode ? shown.again?.(reader) : undefined
  const links = [again, backLink(reader)].filter((link) => link !== undefined)
  const content = markup`${form}\n${linksOf(...links)}`
  return page(reader, { heading, intro, emblem, content, ...answerTo(refused) })
}

/** Returns how a page answers what was refused. */
export function answerTo(
  refused: Refused | undefined,
): Pick<Page, 'hasFault' | 'status' | 'retryAfterSeconds'> {
  if (!refused) return {}
  const { status, retryAfterSeconds } = refused.error
  return { hasFault: true, status, retryAfterSeconds }
}

interface DrawnForm {
  readonly action: string
  /** Hidden fields, such as the token of a link, or the id of a request. */
  readonly sends?: Readonly<Record<string, string>>
  readonly fields: readonly ShownField[]
  readonly button: string
  readonly refused?: Refused | undefined
}

export function drawForm(
  reader: PageReader,
  { action, sends = {}, fields, button, refused }: DrawnForm,
): Html {
  const faults = refused ? [refused, ...(refused.others ?? [])] : []
  const faultAt = ({ name }: ShownField): Fault | undefined =>
    faults.find(({ field }) => field === name)
  const first = fields.find(faultAt)
  const drawn = fields.map((field) => {
    const fault = faultAt(field)
    const isLater = field !== first
    return markup`${fieldOf({ ...field, isLater, fault: fault && markup`${fault.text}` })}\n`
  })
  const hidden = Object.entries(sends).map((sent) => markup`${hiddenField(...sent)}\n`)
  return markup`${first ? undefined : refused && faultOf(refused.text)}
<form method="post" action="${action}">
${formTokenField(reader)}${joined(hidden)}
${joined(drawn)}
${buttonOf({ label: button })}
</form>`
}

/** Returns the buttons of a page whose link does not work: to another mail, or to its end. */
function waysOn(reader: PageReader, shown: FormPage): readonly Button[] {
  const again = shown.again?.(reader)
  const ends = endButtons(reader, shown.end ?? 'login')
  return again ? [again, ...ends.slice(0, 1).map(asSecond)] : ends
}

function asSecond(button: Button): Button {
  return { ...button, kind: 'second' }
}

/**
 * Writes the page for a link that was used, has expired or never existed. The page does not say
 * which: Keystile does not keep used links.
 */
function usedLinkPage(reader: PageReader, shown: FormPage, typed: Form): HttpAnswer {
  const { heading, reason } = reader.texts.usedLink
  const intro = `${reason} ${shown.texts(reader, typed).used}`
  const content = actionsOf(...waysOn(reader, shown))
  return page(reader, { heading, intro, emblem: { icon: 'link' }, content, status: 403 })
}
