// The form of a page, and what the page says about a refusal. The pages that mails open, and those
// of the login and of the account, share it.
import type { ProblemError } from 'keystile/internal'
import { fieldOf, hiddenField, type Field } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { Page } from '../../../pages/layout.ts'
import { buttonOf, faultOf } from '../../../pages/parts.ts'
import { formTokenField, type PageReader } from './page-parts.ts'

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

interface DrawnForm {
  readonly action: string
  /** Hidden fields, such as the token of a link, or the id of a request. */
  readonly sends?: Readonly<Record<string, string>>
  readonly fields: readonly ShownField[]
  readonly button: string
  readonly refused?: Refused | undefined
}

/** Draws a form with its faults: at their fields, or above the form if they have none. */
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

/** Returns how a page answers what was refused. */
export function answerTo(
  refused: Refused | undefined,
): Pick<Page, 'hasFault' | 'status' | 'retryAfterSeconds'> {
  if (!refused) return {}
  const { status, retryAfterSeconds } = refused.error
  return { hasFault: true, status, retryAfterSeconds }
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
