// How the pages of a login draw their forms and answers.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import { fieldOf, hiddenField, type Field } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { Page } from '../../../pages/layout.ts'
import { buttonOf, faultOf, type Emblem } from '../../../pages/parts.ts'
import { formTokenField } from '../account-pages/form.ts'
import { page, type PageReader } from '../account-pages/reader.ts'

/** Why a login does not go on. */
export type StepFault =
  /** The person has typed something wrong. The field says it. */
  | { readonly kind: 'wrong'; readonly text: string }
  /** The service has refused the form, perhaps without a look at it. The page says it. */
  | { readonly kind: 'refused'; readonly text: string; readonly error: ProblemError }

interface DrawnForm {
  readonly action: string
  /** Hidden fields. Those that are undefined are left out. */
  readonly sends?: Readonly<Record<string, string | undefined>>
  readonly fields: readonly Html[]
  readonly button: string
}

/** Who does a step, and where its form goes. */
export interface StepForm extends Pick<DrawnForm, 'action' | 'sends'> {
  readonly before: Html | undefined
}

interface StepFormPage extends DrawnForm {
  readonly heading: string
  readonly intro: string
  readonly emblem?: Emblem | undefined
  readonly before?: Html | undefined
  readonly fault?: StepFault | undefined
  readonly after?: Html | undefined
}

export function stepFormPage(
  reader: PageReader,
  { heading, intro, emblem, before, fault, after, ...form }: StepFormPage,
): HttpAnswer {
  // A wrong value is said at its field: see `faultyField`.
  const isAtField = form.fields.length > 0 && fault?.kind === 'wrong'
  const content = markup`${before}
${fault && !isAtField ? faultOf(fault.text) : undefined}
${drawStepForm(reader, form)}
${after}`
  return stepAnswer(reader, { heading, intro, emblem, content, fault })
}

export function drawStepForm(
  reader: PageReader,
  { action, sends, fields, button }: DrawnForm,
): Html {
  return markup`<form method="post" action="${action}">
${drawHidden(reader, sends)}
${joined(fields.map((field) => markup`${field}\n`))}
${buttonOf({ label: button })}
</form>`
}

/** A form with a button that looks like a link: an attempt must not be in an address. */
export function switchTo(
  reader: PageReader,
  method: string,
  label: string,
  { action, sends }: Pick<DrawnForm, 'action' | 'sends'>,
): Html {
  return markup`<form class="links" method="post" action="${action}">
${drawHidden(reader, sends)}
<button name="show" value="${method}">${label}</button>
</form>`
}

function drawHidden(reader: PageReader, sends: DrawnForm['sends'] = {}): Html {
  const fields = Object.entries(sends).map(([name, value]) =>
    value === undefined ? '' : markup`${hiddenField(name, value)}\n`,
  )
  return markup`${formTokenField(reader)}${joined(fields)}`
}

/** Draws a field. Says at the field that its value was wrong. */
export function faultyField(field: Field, fault?: StepFault): Html {
  return fieldOf({ ...field, fault: fault?.kind === 'wrong' ? markup`${fault.text}` : undefined })
}

/** Returns a page of a login, with the status of its fault. */
export function stepAnswer(
  reader: PageReader,
  {
    fault,
    ...shown
  }: Omit<Page, 'language' | 'brand' | 'words'> & { readonly fault?: StepFault | undefined },
): HttpAnswer {
  const { status = 400, retryAfterSeconds } = fault?.kind === 'refused' ? fault.error : {}
  return page(reader, {
    ...shown,
    referrerPolicy: 'same-origin',
    ...(fault && { hasFault: true, status, retryAfterSeconds }),
  })
}

/** The sign of a page on which a login cannot go on. */
export const warning = { icon: 'warning', tone: 'care' } as const
