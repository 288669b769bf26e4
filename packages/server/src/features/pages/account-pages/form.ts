// The form of a page, with its faults. The pages that mails open share it with those of a
// registration.
import type { HttpAnswer } from 'keystile/internal'
import { fieldOf, hiddenField, type Field } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { Page } from '../../../pages/layout.ts'
import { buttonOf, faultOf } from '../../../pages/parts.ts'
import { allFaults, answerTo, type Fault, type Refused } from './faults.ts'
import { formTokenName } from './field-names.ts'
import { page, type PageReader } from './reader.ts'

/** A field before it is drawn: the form adds the faults. */
export type ShownField = Omit<Field, 'fault' | 'isLater'>

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
  const faults = allFaults(refused)
  const faultAt = ({ name }: ShownField): Fault | undefined =>
    faults.find(({ field }) => field === name)
  const firstFaulty = fields.find(faultAt)
  const drawn = fields.map((field) => {
    const fault = faultAt(field)
    const isLater = field !== firstFaulty
    return markup`${fieldOf({ ...field, isLater, fault: fault && markup`${fault.text}` })}\n`
  })
  const hidden = Object.entries(sends).map((sent) => markup`${hiddenField(...sent)}\n`)
  return markup`${firstFaulty ? undefined : refused && faultOf(refused.text)}
<form method="post" action="${action}">
${formTokenField(reader)}${joined(hidden)}
${joined(drawn)}
${buttonOf({ label: button })}
</form>`
}

export function formTokenField({ formToken }: PageReader): Html | undefined {
  return formToken === undefined ? undefined : markup`${hiddenField(formTokenName, formToken)}\n`
}

/** Returns a page whose forms send their origin, so that its route can demand this origin. */
export function sameOriginPage(
  reader: PageReader,
  shown: Omit<Page, 'language' | 'brand' | 'words' | 'referrerPolicy'>,
  refused?: Refused,
): HttpAnswer {
  return page(reader, { ...shown, referrerPolicy: 'same-origin', ...answerTo(refused) })
}
