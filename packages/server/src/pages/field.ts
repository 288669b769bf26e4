// The fields of forms.
import { joined, markup, type Html } from './html.ts'
import type { Words } from './parts.ts'

/** A field of a form: a line to type in, a list to choose from, or a box to tick. */
export interface Field {
  readonly name: string
  readonly label: Words
  readonly hint?: string | undefined
  readonly fault?: Html | undefined
  /** More attributes, such as `type` and `value`. */
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

  const { name, label, hint, choices } = field
  const id = idOf(name)
  const fault = field.fault && faultAt(id, field.fault)
  const attributes = attributesOf(field, id)
  const control = choices
    ? markup`<select ${attributes}>${joined([noChoice, ...choices.map(optionOf)])}</select>`
    : markup`<input ${attributes}>`
  return markup`<div class="field${fault && ' bad'}">
<label for="${id}">${label}</label>
${fault}
${hint && markup`<p class="hint" id="${id}-hint">${hint}</p>`}
${control}
</div>`
}

/** Writes a box to tick. Default of `box`: the box sends `on`, and is not ticked. */
export function checkOf(field: Omit<Field, 'hint' | 'attributes' | 'choices'>): Html {
  const { name, label, fault, box = { value: 'on', isTicked: false } } = field
  const id = idOf(name)
  const ticked = box.isTicked ? markup` checked` : undefined
  const described = fault && markup` aria-describedby="${id}-fault" aria-invalid="true"`
  const marks = markup`${requiredOf(field)}${ticked}${described}${focusOf(field)}`
  const input = markup`<input type="checkbox" name="${name}" value="${box.value}"${marks}>`
  const check = markup`<label class="check">${input} <span>${label}</span></label>`
  return fault ? markup`<div class="field bad">\n${faultAt(id, fault)}\n${check}\n</div>` : check
}

export function hiddenField(name: string, value: string): Html {
  return markup`<input type="hidden" name="${name}" value="${value}">`
}

/** Returns the attributes of a field for a code from a mail or an app. @param typed its value */
export function codeAttributes(typed = ''): Html {
  const keyboard = markup`inputmode="numeric" autocomplete="one-time-code" dir="ltr"`
  return markup`class="code" ${keyboard} value="${typed}"`
}

function attributesOf(field: Field, id: string): Html {
  const { name, hint, fault, attributes } = field
  const texts = [...(fault ? [`${id}-fault`] : []), ...(hint === undefined ? [] : [`${id}-hint`])]
  const described = texts.length === 0 ? undefined : markup` aria-describedby="${texts.join(' ')}"`
  const invalid = fault && markup` aria-invalid="true"`
  const states = markup`${described}${invalid}${focusOf(field)}`
  return markup`id="${id}" name="${name}"${requiredOf(field)} ${attributes}${states}`
}

function requiredOf({ isOptional }: Pick<Field, 'isOptional'>): Html | undefined {
  return isOptional ? undefined : markup` required`
}

function focusOf({
  fault,
  isLater,
  hasFocus,
}: Pick<Field, 'fault' | 'isLater' | 'hasFocus'>): Html | undefined {
  const isFirstFault = fault !== undefined && !isLater
  return isFirstFault || hasFocus ? markup` autofocus` : undefined
}

/** `aria-describedby` separates ids by spaces. */
function idOf(name: string): string {
  return name.replaceAll(/[^\w-]/g, '-')
}

function faultAt(id: string, fault: Html): Html {
  return markup`<p class="fault" id="${id}-fault" role="alert">${fault}</p>`
}

/** The first option of a list. Its value is empty, so the person must choose a different option. */
const noChoice = markup`<option value=""></option>`

function optionOf({ value, label, isChosen }: Choice): Html {
  const chosen = isChosen ? markup` selected` : undefined
  return markup`<option value="${value}"${chosen}>${label}</option>`
}
