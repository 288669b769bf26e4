// The texts of the pages, with those that the app replaces or adds.
import { kindOf } from 'keystile/internal'
import { show } from '../../../feature/shown-value.ts'
import { linkedPart } from '../../../pages/parts.ts'
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

/** German has each text; in English, some are missing. */
const complete: object = texts.de.pages

/** Returns the faults of texts that an app gives, as sentences without a subject. */
export function findTextFaults(
  changes: Readonly<Record<string, PageTextChanges | undefined>>,
): readonly string[] {
  return Object.entries(changes).flatMap(([language, change]) => {
    if (!/^[a-z]{2,3}$/.test(language))
      return [`must name languages such as en; it has ${show(language)}`]
    return change === undefined ? [] : faultsIn(change, complete, language)
  })
}

function countLinks(text: unknown): number {
  return typeof text === 'string' ? (text.split(linkedPart).length - 1) / 2 : 0
}

function faultsIn(given: unknown, known: object, path: string): readonly string[] {
  if (typeof given !== 'object' || given === null)
    return [`must have an object with texts at ${path}; it has ${kindOf(given)}`]

  return Object.entries(given).flatMap(([name, value]: readonly [string, unknown]) => {
    const place = `${path}.${name}`
    const text: unknown = Object.hasOwn(known, name) ? known[name as keyof typeof known] : undefined
    if (text === undefined) return [`must have only known texts; it has ${show(place)}`]
    if (value === undefined) return []
    if (typeof text === 'object' && text !== null) return faultsIn(value, text, place)
    const wanted = typeof text === 'function' ? 'a function that returns a string' : 'a string'
    if (typeof value !== typeof text)
      return [`must have ${wanted} at ${place}; it has ${kindOf(value)}`]
    const links = countLinks(text)
    return countLinks(value) === links
      ? []
      : [`must have ${links} parts in brackets at ${place}, which become links`]
  })
}
