import { languages, type Language } from './message.ts'

/** The longest header that is read, in characters. Browsers send less than a hundred. */
const maxLength = 1_000

/** An item of the header, such as `de`, `de-AT;q=0.8` or `*`. */
const itemForm =
  /^(?<tag>[a-z]{1,8}|\*)(?:-[a-z\d]{1,8})*(?:\s*;\s*q=(?<q>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

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
    const named = itemForm.exec(item.trim())?.groups
    if (!named) return undefined

    const language = known.find((one) => one === named['tag']?.toLowerCase())
    const weight = Number(named['q'] ?? 1)
    if (language && weight > best) [preferred, best] = [language, weight]
  }
  return preferred
}

/** Returns one of the four languages by its name, as the parameters of a mail contain it. */
export function parseLanguage(text: string | undefined): Language | undefined {
  return languages.find((known) => known === text)
}
