import { findNearest, listKnown } from 'keystile/internal'
import type { Setting, Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'
import { checkSettings, type SettingFault } from './check.ts'

/** Facts that are not options, and that only the stand-alone server knows. */
export type Surroundings = Pick<Situation<unknown>, 'bind' | 'secretFiles' | 'flags' | 'say'> & {
  readonly unread?: ReadonlySet<string>
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
