// Checks the texts of the pages that an app gives in its settings.
import { kindOf } from 'keystile/internal'
import { show } from '../../../feature/shown-value.ts'
import { linkedPart } from '../../../pages/parts.ts'
import type { PageTextChanges } from './page-texts.ts'
import { texts } from './texts.ts'

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

/** Compares a tree of texts with a tree of all texts that there are. */
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
    if (countLinks(value) === links) return []
    return [`must have ${links} parts in brackets at ${place}, which become links`]
  })
}

/** Counts the parts of a text in brackets. A function has none. */
function countLinks(text: unknown): number {
  // `linkedPart` has a group, so a split also returns each part itself: two pieces more for each.
  return typeof text === 'string' ? (text.split(linkedPart).length - 1) / 2 : 0
}
