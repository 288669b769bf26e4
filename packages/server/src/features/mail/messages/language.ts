import { languages, type Language } from './message.ts'

/** The longest header that is read, in characters. Browsers send less than a hundred. */
const maxLength = 1_000

/**
 * Returns which of the four languages of Keystile a reader prefers. Undefined if the header
 * `Accept-Language` is missing or malformed, or names none of the four. A region is ignored:
 * `de-AT` is German. `*` names no language.
 *
 * @see RFC 9110 §12.5.4
 */
export function preferredLanguage(header: string | null | undefined): Language | undefined {
  if (!header || header.length > maxLength) return undefined

  let preferred: Language | undefined
  let best = 0
  for (const item of header.split(',')) {
    const match =
      /^([a-z]{1,8}|\*)(?:-[a-z\d]{1,8})*(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i.exec(
        item.trim(),
      )
    if (!match) return undefined

    const [, tag, weight = '1'] = match
    const language = languages.find((known) => known === tag?.toLowerCase())
    if (language && Number(weight) > best) [preferred, best] = [language, Number(weight)]
  }
  return preferred
}

export function parseLanguage(text: string | undefined): Language | undefined {
  return languages.find((known) => known === text)
}
