import type { Rule } from '../feature/rule.ts'
import type { Setting, Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'
import { checkSettings, withDefaults, type SettingFault } from './check.ts'
import { examine, textOf } from './examination.ts'

/** What the stand-alone server knows beside its options. */
export type Surroundings = Pick<Situation<unknown>, 'bind' | 'secretFiles' | 'say'>

/** What features say of the options: their records, and the rules that make them safe. */
export interface KnownOptions<Options> {
  readonly settings: readonly Setting[]
  readonly rules: readonly Rule<Options>[]
}

/** Options as they were read. */
export interface ReadOptions<Options> {
  /** Everything that is wrong or unsafe about them. */
  readonly faults: readonly SettingFault[]
  /** Those that have the right form, with the defaults of those that were not given. */
  readonly values: Values
  /** What safety rules look at, as it was given. */
  readonly situation: Situation<Options>
}

/** Checks options together, and completes them. */
export function readOptions<Options>(
  { settings, rules }: KnownOptions<Options>,
  input: Values,
  surroundings: Surroundings = {},
): ReadOptions<Options> {
  const { faults, given, situation } = readSituation<Options>(settings, input, surroundings)
  const stops = examine(situation, rules).stops.map((finding) => ({
    subject: finding.about,
    message: textOf(finding),
  }))
  return { faults: [...faults, ...stops], values: withDefaults(settings, given), situation }
}

/** The options that have the right form, and what is wrong with those that have not. */
export function readSituation<Options>(
  settings: readonly Setting[],
  input: Values,
  surroundings: Surroundings,
): {
  readonly faults: readonly SettingFault[]
  readonly given: Values
  readonly situation: Situation<Options>
} {
  const known = settings.map(({ name }) => name)
  const unknown = Object.keys(input)
    .filter((name) => !known.includes(name))
    .map((subject) => ({
      subject,
      message: `is not an option; the options are ${known.join(', ')}`,
    }))
  const { values, unread, faults } = checkSettings(settings, input, surroundings.say ?? appWording)
  // Each record has checked its value, and the compiler holds the records to the interfaces of
  // options.
  const options = values as Options
  const situation = { ...surroundings, options, unread }
  return { faults: [...unknown, ...faults], given: values, situation }
}

export function cannotStart(faults: readonly string[]): string {
  return ['Keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n')
}

export function sentenceOf({ subject, message }: SettingFault): string {
  return `${subject} ${message}`
}
