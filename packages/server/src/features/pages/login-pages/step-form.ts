// How the pages of a login draw their forms and answers.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import { codeAttributes, fieldOf, hiddenField, type Field } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { buttonOf, faultOf, type Emblem } from '../../../pages/parts.ts'
import { formTokenField } from '../account-pages/form.ts'
import { page, type PageReader } from '../account-pages/reader.ts'

export interface PageFault {
  readonly text: string
  /** Undefined if the person typed something wrong. */
  readonly error?: ProblemError
}

export const warning = { icon: 'warning', tone: 'care' } as const

export interface DrawnForm {
  readonly action: string
  /** Hidden fields. Those that are undefined are left out. */
  readonly sends?: Readonly<Record<string, string | undefined>>
  readonly fields: readonly Html[]
  readonly button: string
}

export function formPage(
  reader: PageReader,
  {
    heading,
    intro,
    emblem,
    before,
    fault,
    hasField,
    after,
    ...form
  }: DrawnForm & {
    readonly heading: string
    readonly intro: string
    readonly emblem?: Emblem | undefined
    readonly before?: Html | undefined
    readonly fault?: PageFault | undefined
    /** Whether a wrong value is shown at its field: see `faultyField`. */
    readonly hasField?: boolean
    readonly after?: Html | undefined
  },
): HttpAnswer {
  const content = markup`${before}
${fault && (fault.error || !hasField) ? faultOf(fault.text) : undefined}
${formOf(reader, form)}
${after}`
  return answer(reader, { heading, intro, emblem, content, fault })
}

export function formOf(reader: PageReader, { action, sends, fields, button }: DrawnForm): Html {
  return markup`<form method="post" action="${action}">
${hiddenOf(reader, sends)}
${joined(fields.map((field) => markup`${field}\n`))}
${buttonOf({ label: button })}
</form>`
}

/** A field whose value was wrong, unless the service had no time for it. */
export function faultyField(field: Field, fault?: PageFault): Html {
  return fieldOf({ ...field, fault: fault && !fault.error ? markup`${fault.text}` : undefined })
}

export function codeField(name: string, label: string): Field {
  return { name, label, attributes: codeAttributes() }
}

function hiddenOf(reader: PageReader, sends: DrawnForm['sends'] = {}): Html {
  const fields = Object.entries(sends).map(([name, value]) =>
    value === undefined ? '' : markup`${hiddenField(name, value)}\n`,
  )
  return markup`${formTokenField(reader)}${joined(fields)}`
}

/** A form with a button that looks like a link: an attempt must not be in an address. */
export function switchTo(
  reader: PageReader,
  method: string,
  label: string,
  { action, sends }: Pick<DrawnForm, 'action' | 'sends'>,
): Html {
  return markup`<form class="links" method="post" action="${action}">
${hiddenOf(reader, sends)}
<button name="show" value="${method}">${label}</button>
</form>`
}

type Shown = Parameters<typeof page>[1]

export function answer(
  reader: PageReader,
  { fault, ...shown }: Shown & { readonly fault?: PageFault | undefined },
): HttpAnswer {
  const { status = 400, retryAfterSeconds } = fault?.error ?? {}
  return page(reader, {
    ...shown,
    referrerPolicy: 'same-origin',
    ...(fault && { hasFault: true, status, retryAfterSeconds }),
  })
}
