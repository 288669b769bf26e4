import { escapeHtml } from '../mail/write.ts'

/** HTML that was made by `markup`. Everything else is text, and is escaped. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value to insert into HTML. `undefined` inserts nothing. */
type Insertable = Html | string | undefined

/**
 * Makes HTML from a template. Escapes each inserted string, so a value can be neither an element
 * nor the end of an attribute. Put attributes in double quotes.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  const written = values.map((value) => {
    if (value instanceof Html) return value.text
    return value === undefined ? '' : escapeHtml(value)
  })
  return new Html(parts.map((part, index) => part + (written[index] ?? '')).join(''))
}
