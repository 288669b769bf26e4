import type { Setting, Values } from '../feature/setting.ts'
import { appWording } from '../feature/wording.ts'
import { checkSettings, withDefaults, type SettingFault } from './check.ts'
import type { Situation } from './rules/rule.ts'
import { examine, textOf } from './rules/rules.ts'

/** What the stand-alone server knows beside its options. */
export type Surroundings = Pick<Situation, 'bind' | 'secretFiles' | 'say'>

/** Options as they were read. */
export interface ReadOptions {
  /** Everything that is wrong or unsafe about them. */
  readonly faults: readonly SettingFault[]
  /** Those that have the right form, with the defaults of those that were not given. */
  readonly values: Values
  /** What rules of safety look at, as it was given. */
  readonly situation: Situation
}

/** Checks options together, and completes them. */
export function readOptions(settings: readonly Setting[], input: Values, surroundings: Surroundings = {}): ReadOptions {
  const { faults, situation } = readSituation(settings, input, surroundings)
  const stops = examine(situation).stops.map((finding) => ({
    subject: finding.about,
    message: textOf(finding),
  }))
  return { faults: [...faults, ...stops], values: withDefaults(settings, situation.options), situation }
}

/** The options that have the right form, and what is wrong with those that have not. */
export function readSituation(
  settings: readonly Setting[],
  input: Values,
  surroundings: Surroundings,
): { readonly faults: readonly SettingFault[]; readonly situation: Situation } {
  const known = settings.map(({ name }) => name)
  const unknown = Object.keys(input)
    .filter((name) => !known.includes(name))
    .map((subject) => ({ subject, message: `is not an option; the options are ${known.join(', ')}` }))
  const { values, unread, faults } = checkSettings(settings, input, surroundings.say ?? appWording)
  return { faults: [...unknown, ...faults], situation: { ...surroundings, options: values, unread } }
}

export function cannotStart(faults: readonly string[]): string {
  return ['Keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n')
}

export function sentenceOf({ subject, message }: SettingFault): string {
  return `${subject} ${message}`
}
