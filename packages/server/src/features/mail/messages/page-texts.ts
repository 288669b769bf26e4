// The texts of the pages, with those that the app replaces or adds. `page-text-faults.ts` checks
// these when the settings are read.
import { languages, type Language } from './message.ts'
import type { PageTexts } from './text-types.ts'
import { texts } from './texts.ts'

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
export function withPageTexts(
  changes: Readonly<Record<string, PageTextChanges | undefined>> = {},
): PageTextsByLanguage {
  const own: Record<string, PageTexts> = Object.fromEntries(
    languages.map((language) => [language, texts[language].pages]),
  )
  const changed = Object.entries(changes).map(([language, change]) => [
    language,
    withChanges(own[language] ?? texts.en.pages, change ?? {}),
  ])
  // `own` has each language of Keystile; `Object.fromEntries()` loses the names in its type.
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
