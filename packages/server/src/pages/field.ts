import { markup, type Html } from './html.ts'
import type { Words } from './parts.ts'

export interface Field {
  readonly name: string
  readonly label: Words
  readonly hint?: string | undefined
  readonly fault?: Html | undefined
  readonly attributes?: Html
  /** The values to choose from; undefined if the person types the value. */
  readonly choices?: readonly Choice[] | undefined
  /** Whether the field is a box to tick. */
  readonly box?: Box | undefined
  /** Whether the field may stay empty. Default: it must be filled in. */
  readonly isOptional?: boolean
  /** Whether a field before it has a fault too. Only the first one gets the focus. */
  readonly isLater?: boolean
  /**
   * Whether the page opens with the cursor in this field. Only for a field that a person can fill
   * in without the text above it: screen readers skip that. A field with a fault always has it.
   */
  readonly hasFocus?: boolean
}

export interface Box {
  /** What a ticked box sends. */
  readonly value: string
  readonly isTicked: boolean
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly isChosen: boolean
}

/** Writes a field. A screen reader reads the label, the hint and the error message together. */
export function fieldOf(field: Field): Html {
  if (field.box) return checkOf(field)
  const { name, label, hint, attributes, choices, isOptional, isLater, hasFocus } = field
  const id = idOf(name)
  const fault = field.fault && faultAt(id, field.fault)
  const described = [
    ...(fault ? [`${id}-fault`] : []),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ].join(' ')
  const required = isOptional ? undefined : markup` required`
  const all = markup`id="${id}" name="${name}"${required} ${attributes}${
    described === '' ? undefined : markup` aria-describedby="${described}"`
  }${fault && markup` aria-invalid="true"`}${(fault && !isLater) || hasFocus ? focus : undefined}`
  const control = choices
    ? markup`<select ${all}>${choices.reduce(addChoice, noChoice)}</select>`
    : markup`<input ${all}>`
  return markup`<div class="field${fault && ' bad'}">
<label for="${id}">${label}</label>
${fault}
${hint && markup`<p class="hint" id="${id}-hint">${hint}</p>`}
${control}
</div>`
}

const focus = markup` autofocus`

/** `aria-describedby` separates ids by spaces. */
function idOf(name: string): string {
  return name.replaceAll(/[^\w-]/g, '-')
}

function faultAt(id: string, fault: Html): Html {
  return markup`<p class="fault" id="${id}-fault" role="alert">${fault}</p>`
}

/** Returns the attributes of a field for a code from a mail or an app. @param typed its value */
export function codeAttributes(typed = ''): Html {
  const keyboard = markup`inputmode="numeric" autocomplete="one-time-code" dir="ltr"`
  return markup`class="code" ${keyboard} value="${typed}"`
}

export function hiddenField(name: string, value: string): Html {
  return markup`<input type="hidden" name="${name}" value="${value}">`
}

/** Writes a box to tick. */
export function checkOf({
  name,
  label,
  fault,
  isOptional,
  isLater,
  box: { value, isTicked } = { value: 'on', isTicked: false },
}: Omit<Field, 'hint' | 'attributes' | 'choices'>): Html {
  const id = idOf(name)
  const required = isOptional ? undefined : markup` required`
  const ticked = isTicked ? markup` checked` : undefined
  const invalid =
    fault &&
    markup` aria-describedby="${id}-fault" aria-invalid="true"${isLater ? undefined : focus}`
  const marks = markup`${required}${ticked}${invalid}`
  const input = markup`<input type="checkbox" name="${name}" value="${value}"${marks}>`
  const check = markup`<label class="check">${input} <span>${label}</span></label>`
  return fault ? markup`<div class="field bad">\n${faultAt(id, fault)}\n${check}\n</div>` : check
}

/** The first option of a list. Its value is empty, so the person must choose a different option. */
const noChoice = markup`<option value=""></option>`

function addChoice(choices: Html, { value, label, isChosen }: Choice): Html {
  const chosen = isChosen ? markup` selected` : undefined
  return markup`${choices}<option value="${value}"${chosen}>${label}</option>`
}
