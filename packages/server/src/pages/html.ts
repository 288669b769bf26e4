/** HTML that `markup` made. `markup` inserts this HTML unchanged, but escapes plain strings. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value that `markup` inserts into HTML. `undefined` inserts nothing. */
type Insertable = Html | string | undefined

/**
 * Makes HTML from a template. Escapes each inserted string, so a value can neither add an element
 * nor end an attribute. Write attributes in double quotes.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  const written = values.map((value) => {
    if (value instanceof Html) return value.text
    return value === undefined ? '' : escapeHtml(value)
  })
  return new Html(parts.map((part, index) => part + (written[index] ?? '')).join(''))
}

/** Joins HTML and plain strings, which it escapes. */
export function joined(parts: readonly (Html | string)[]): Html {
  return parts.reduce<Html>((all, part) => markup`${all}${part}`, markup``)
}

/** Escapes a text for the content of an HTML element, or for an attribute in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`)
}
