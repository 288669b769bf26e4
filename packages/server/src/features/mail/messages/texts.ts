import { languages, type Language } from './message.ts'
import type { PageTexts, Texts } from './text-types.ts'
import { de } from './texts/de.ts'
import { en } from './texts/en.ts'
import { es } from './texts/es.ts'
import { fr } from './texts/fr.ts'

/** All texts of mails and pages. */
export const texts: Readonly<Record<Language, Texts>> = { en, de, fr, es }

/** The texts of the pages in each language, also in those that the app has added. */
export type PageTextsByLanguage = Readonly<Record<Language, PageTexts>> &
  Readonly<Record<string, PageTexts>>

/** Some texts of the pages, in place of those of Keystile. */
export type PageTextChanges = Changes<PageTexts>

type Changes<Part> = {
  readonly [Name in keyof Part]?: Part[Name] extends Text | undefined
    ? Part[Name]
    : Changes<Exclude<Part[Name], undefined>>
}
type Text = string | ((...values: never[]) => string)

/**
 * Returns the texts of the pages with those of the app. In a language that Keystile does not have,
 * texts that the app does not give are in English.
 */
export function pageTextsWith(
  changes: Readonly<Record<string, PageTextChanges | undefined>> = {},
): PageTextsByLanguage {
  const own: Record<string, PageTexts> = Object.fromEntries(
    languages.map((language) => [language, texts[language].pages]),
  )
  const changed = Object.entries(changes).map(([language, change]) => [
    language.toLowerCase(),
    withChanges(own[language.toLowerCase()] ?? en.pages, change ?? {}),
  ])
  return { ...own, ...Object.fromEntries(changed) } as PageTextsByLanguage
}

/** Returns a tree of texts with some of them replaced. */
function withChanges<Part extends object>(part: Part, changes: Changes<Part>): Part {
  const changed = Object.entries(changes).map(([name, change]) => {
    const before: unknown = part[name as keyof Part]
    const isPart = typeof change === 'object' && change !== null && typeof before === 'object'
    return [name, isPart ? withChanges(before ?? {}, change) : change] as const
  })
  return { ...part, ...Object.fromEntries(changed.filter(([, change]) => change !== undefined)) }
}
