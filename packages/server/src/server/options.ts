import { ConfigurationError } from '../base/configuration-error.ts'
import { withDefaults, type SettingFault } from '../configuration/check.ts'
import { examine, textOf } from '../configuration/examination.ts'
import {
  cannotStart,
  sentenceOf,
  situationOf,
  type Surroundings,
} from '../configuration/options.ts'
import type { Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
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

/** All faults, or if there are none, the options. */
type ReadOptions =
  | { readonly faults: readonly []; readonly options: CheckedOptions }
  | { readonly faults: readonly SettingFault[]; readonly options?: undefined }

/**
 * If the options are valid and safe, returns them with all defaults filled in. Otherwise returns
 * all faults: options that are not valid, and violations of safety rules that stop a start. Throws
 * nothing.
 */
export function readOptions(input: Values, surroundings: Surroundings = {}): ReadOptions {
  const { faults, given, situation } = situationOf<RuleOptions>(optionSettings, input, surroundings)
  const stops = examine(situation, rules).stops.map((finding) => ({
    subject: finding.about,
    message: textOf(finding),
  }))
  if (faults.length > 0 || stops.length > 0) return { faults: [...faults, ...stops] }

  // This cast is safe, because `listSettings` compiles only if each record fits its option.
  const values = withDefaults(optionSettings, given) as CompleteOptions
  return { faults: [], options: { ...values, situation } }
}
