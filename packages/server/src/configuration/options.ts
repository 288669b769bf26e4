import { findNearest, listKnown } from 'keystile/internal'
import type { Rule } from '../feature/rule.ts'
import type { Setting, Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'
import { checkSettings, withDefaults, type SettingFault } from './check.ts'
import { examine, textOf } from './examination.ts'

/** Facts that are not options, and that only the stand-alone server knows. */
export type Surroundings = Pick<Situation<unknown>, 'bind' | 'secretFiles' | 'flags' | 'say'> & {
  readonly unread?: ReadonlySet<string>
}

export interface KnownOptions<Options> {
  readonly settings: readonly Setting[]
  readonly rules: readonly Rule<Options>[]
}

export interface ExaminedOptions<Options> {
  /** All faults: options that are not valid, and violations of safety rules that stop a start. */
  readonly faults: readonly SettingFault[]
  /** The valid options, with the defaults of options that were not given. */
  readonly values: Values
  /** What the safety rules check. `situation.options` has only given options, no defaults. */
  readonly situation: Situation<Options>
}

/** Checks all options, applies the safety rules, and fills in defaults. Throws nothing. */
export function examineOptions<Options>(
  { settings, rules }: KnownOptions<Options>,
  input: Values,
  surroundings: Surroundings = {},
): ExaminedOptions<Options> {
  const { faults, given, situation } = situationOf<Options>(settings, input, surroundings)
  const stops = examine(situation, rules).stops.map((finding) => ({
    subject: finding.about,
    message: textOf(finding),
  }))
  return { faults: [...faults, ...stops], values: withDefaults(settings, given), situation }
}

/**
 * Checks the options. Returns the options that were given and are valid, the faults of all other
 * given options, and the `Situation`: everything that the safety rules check.
 */
export function situationOf<Options>(
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
    .map((subject) => {
      const options = listKnown(findNearest(subject, known), `the options are ${known.join(', ')}`)
      return { subject, message: `is not an option; ${options}` }
    })

  const { values, unread, faults } = checkSettings(settings, input, surroundings.say ?? appWording)
  // This cast is safe: each record has checked its value, and the compiler compares the records
  // with the interfaces of the options.
  const options = values as Options
  const situation = {
    ...surroundings,
    options,
    unread: new Set([...unread, ...(surroundings.unread ?? [])]),
  }
  return { faults: [...unknown, ...faults], given: values, situation }
}

/** Returns the error message for a start that was refused, with one line for each fault. */
export function cannotStart(faults: readonly string[]): string {
  return ['Keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n')
}

export function sentenceOf({ subject, message }: SettingFault): string {
  return `${subject} ${message}`
}
