import { languages, type Language } from './message.ts'

/** The longest header that is read, in characters. Browsers send less than a hundred. */
const maxLength = 1_000

/** Returns which of the four languages of Keystile a reader prefers: see `preferredOf`. */
export function preferredLanguage(header: string | null | undefined): Language | undefined {
  return preferredOf(languages, header)
}

/**
 * Returns which of some languages a reader prefers. Undefined if the header `Accept-Language` is
 * missing or malformed, or names none of them. A region is ignored: `de-AT` is German. `*` names no
 * language.
 *
 * @param known the languages, in lower case
 * @see RFC 9110 §12.5.4
 */
export function preferredOf<L extends string>(
  known: readonly L[],
  header: string | null | undefined,
): L | undefined {
  if (!header || header.length > maxLength) return undefined

  let preferred: L | undefined
  let best = 0
  for (const item of header.split(',')) {
    const match =
      /^([a-z]{1,8}|\*)(?:-[a-z\d]{1,8})*(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i.exec(
        item.trim(),
      )
    if (!match) return undefined

    const [, tag, weight = '1'] = match
    const language = known.find((one) => one === tag?.toLowerCase())
    if (language && Number(weight) > best) [preferred, best] = [language, Number(weight)]
  }
  return preferred
}

export function parseLanguage(text: string | undefined): Language | undefined {
  return languages.find((known) => known === text)
}
