import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { Rule } from './rule.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the options, complete, that its clean-up steps and command-line commands ask for
 * @typeParam Given the options that its safety rules look at, none of them required
 */
export interface Feature<Options = unknown, Given = unknown> {
  readonly name: string
  readonly settings?: readonly Setting[]
  readonly rules?: readonly Rule<Given>[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Options>[]
  readonly cliCommands?: readonly CliCommand<Call<Options>>[]
}
