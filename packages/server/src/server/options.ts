import { ConfigurationError } from '../base/configuration-error.ts'
import {
  cannotStart,
  readOptions as readBySettings,
  sentenceOf,
  type ReadOptions,
  type Surroundings,
} from '../configuration/options.ts'
import type { Situation } from '../feature/situation.ts'
import type { Values } from '../feature/setting.ts'
import { optionSettings, rules, type CompleteOptions, type RuleOptions } from './features.ts'

/** Options that were checked, with all defaults. */
export interface CheckedOptions extends CompleteOptions {
  /** The options for safety rules, without defaults. */
  readonly situation: Situation<RuleOptions>
}

/** The names of all options of `createKeystile`. */
export const optionNames: readonly string[] = optionSettings.map(({ name }) => name)

/**
 * Checks the options of `createKeystile` and fills in the defaults.
 *
 * @throws {ConfigurationError} with all faults, one line for each
 */
export function checkOptions(input: Values): CheckedOptions {
  const { faults, options } = readOptions(input)
  if (options) return options

  throw new ConfigurationError(cannotStart(faults.map(sentenceOf)))
}

/** Returns the options with all defaults, or all faults. Throws nothing. */
export function readOptions(
  input: Values,
  surroundings: Surroundings = {},
): { readonly faults: ReadOptions<RuleOptions>['faults']; readonly options?: CheckedOptions } {
  const { faults, values, situation } = readBySettings(
    { settings: optionSettings, rules },
    input,
    surroundings,
  )
  if (faults.length > 0) return { faults }

  // `listSettings` makes the compiler compare each record with the interface of its option.
  return { faults, options: { ...(values as CompleteOptions), situation } }
}
