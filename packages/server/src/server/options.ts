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

/** Options that are complete and safe. */
export interface CheckedOptions extends CompleteOptions {
  /** What safety rules look at, as it was given. */
  readonly situation: Situation<RuleOptions>
}

/** Names of options, as `createKeystile` takes them. */
export const optionNames: readonly string[] = optionSettings.map(({ name }) => name)

/**
 * Checks the options of `createKeystile` together and completes them.
 *
 * @throws {ConfigurationError} with all faults, a line each, saying what must be
 */
export function checkOptions(input: Values): CheckedOptions {
  const { faults, options } = readOptions(input)
  if (options) return options
  throw new ConfigurationError(cannotStart(faults.map(sentenceOf)))
}

/** The options, complete; or everything that is wrong or unsafe about them. */
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
  // The compiler holds each record to the interface of its option (`listSettings`).
  return { faults, options: { ...(values as CompleteOptions), situation } }
}
