import { markup, type Html } from './html.ts'

export interface Field {
  readonly name: string
  readonly label: string
  readonly hint?: string | undefined
  readonly fault?: Html | undefined
  readonly attributes?: Html
  /** The values to choose from; undefined if the person types the value. */
  readonly choices?: readonly Choice[] | undefined
  /** Whether the field may stay empty. Default: it must be filled in. */
  readonly isOptional?: boolean
  /**
   * Whether the page opens with the cursor in this field. Only for a field that a person can fill
   * in without the text above it: screen readers skip that. A field with a fault always has it.
   */
  readonly hasFocus?: boolean
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly isChosen: boolean
}

/** Writes a field. A screen reader reads the label, the hint and the error message together. */
export function fieldOf(field: Field): Html {
  const { name, label, hint, fault, attributes, choices, isOptional, hasFocus } = field
  const id = name.replaceAll(/[^\w-]/g, '-') // `aria-describedby` separates ids by spaces
  const described = [
    ...(fault ? [`${id}-fault`] : []),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ].join(' ')
  const required = isOptional ? undefined : markup` required`
  const all = markup`id="${id}" name="${name}"${required} ${attributes}${
    described === '' ? undefined : markup` aria-describedby="${described}"`
  }${fault && markup` aria-invalid="true"`}${fault || hasFocus ? markup` autofocus` : undefined}`
  const control = choices
    ? markup`<select ${all}>${choices.reduce(addChoice, noChoice)}</select>`
    : markup`<input ${all}>`
  return markup`<div class="field${fault && ' bad'}">
<label for="${id}">${label}</label>
${fault && markup`<p class="fault" id="${id}-fault" role="alert">${fault}</p>`}
${hint && markup`<p class="hint" id="${id}-hint">${hint}</p>`}
${control}
</div>`
}

/** Returns the attributes of a field for a code of so many digits, typed with or without spaces. */
export function codeAttributes(typed = ''): Html {
  const keyboard = markup`inputmode="numeric" autocomplete="one-time-code" dir="ltr"`
  return markup`class="code" ${keyboard} value="${typed}"`
}

export function hiddenField(name: string, value: string): Html {
  return markup`<input type="hidden" name="${name}" value="${value}">`
}

/** Writes a box to tick. */
export function checkOf(field: Pick<Field, 'name' | 'label' | 'isOptional'>): Html {
  const required = field.isOptional ? undefined : markup` required`
  const box = markup`<input type="checkbox" name="${field.name}" value="on"${required}>`
  return markup`<label class="check">${box} ${field.label}</label>`
}

/** The first option of a list. Its value is empty, so the person must choose a different option. */
const noChoice = markup`<option value=""></option>`

function addChoice(choices: Html, { value, label, isChosen }: Choice): Html {
  const chosen = isChosen ? markup` selected` : undefined
  return markup`${choices}<option value="${value}"${chosen}>${label}</option>`
}
