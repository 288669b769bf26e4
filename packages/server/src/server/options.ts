import { ConfigurationError } from '../base/configuration-error.ts'
import {
  cannotStart,
  examineOptions,
  sentenceOf,
  type ExaminedOptions,
  type Surroundings,
} from '../configuration/options.ts'
import type { Situation } from '../feature/situation.ts'
import type { Values } from '../feature/setting.ts'
import { optionSettings, rules, type CompleteOptions, type RuleOptions } from './features.ts'

export interface CheckedOptions extends CompleteOptions {
  /** What the safety rules check. `situation.options` has only given options, no defaults. */
  readonly situation: Situation<RuleOptions>
}

/**
 * Checks the options of `createKeystile` and fills in the defaults.
 *
 * @throws {ConfigurationError} with all faults, one line for each fault
 */
export function checkOptions(input: Values): CheckedOptions {
  const { faults, options } = readOptions(input)
  if (options) return options

  throw new ConfigurationError(cannotStart(faults.map(sentenceOf)))
}

/**
 * If the options are valid and safe, returns them with all defaults filled in. Otherwise returns
 * all faults. Throws nothing.
 */
export function readOptions(
  input: Values,
  surroundings: Surroundings = {},
): { readonly faults: ExaminedOptions<RuleOptions>['faults']; readonly options?: CheckedOptions } {
  const { faults, values, situation } = examineOptions(
    { settings: optionSettings, rules },
    input,
    surroundings,
  )
  if (faults.length > 0) return { faults }

  // This cast is safe, because `listSettings` compiles only if each record fits its option.
  return { faults, options: { ...(values as CompleteOptions), situation } }
}
