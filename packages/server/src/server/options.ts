import { checkOptions as check, type CheckedOptions } from '../configuration/options.ts'
import type { Values } from '../feature/setting.ts'
import { optionSettings } from './features.ts'
import { rules } from './rules.ts'

/** Names of options, as `createKeystile` takes them. */
export const optionNames: readonly string[] = optionSettings.map(({ name }) => name)

/**
 * Checks the options of `createKeystile` together and completes them.
 *
 * @throws {ConfigurationError} with all faults, a line each, saying what must be
 */
export function checkOptions(input: Values): CheckedOptions {
  return check({ settings: optionSettings, rules }, input)
}
