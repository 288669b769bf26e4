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
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly isChosen: boolean
}

/** Writes a field. A screen reader reads the label, the hint and the error message together. */
export function fieldOf(field: Field): Html {
  const { name, label, hint, fault, attributes, choices, isOptional } = field
  const id = name.replaceAll(/[^\w-]/g, '-') // `aria-describedby` separates ids by spaces
  const described = [
    ...(fault ? [`${id}-fault`] : []),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ].join(' ')
  const required = isOptional ? undefined : markup` required`
  const all = markup`id="${id}" name="${name}"${required} ${attributes}${
    described === '' ? undefined : markup` aria-describedby="${described}"`
  }${fault && markup` aria-invalid="true" autofocus`}`
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
export function checkOf({
  name,
  label,
  isOptional,
  isTicked,
}: Pick<Field, 'name' | 'label' | 'isOptional'> & { readonly isTicked?: boolean }): Html {
  const required = isOptional ? undefined : markup` required`
  const checked = isTicked ? markup` checked` : undefined
  const box = markup`<input type="checkbox" name="${name}" value="on"${required}${checked}>`
  return markup`<label class="check">${box} ${label}</label>`
}

/** The first option of a list. Its value is empty, so the person must choose a different option. */
const noChoice = markup`<option value=""></option>`

function addChoice(choices: Html, { value, label, isChosen }: Choice): Html {
  const chosen = isChosen ? markup` selected` : undefined
  return markup`${choices}<option value="${value}"${chosen}>${label}</option>`
}
