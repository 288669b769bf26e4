import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Rule } from './rule.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the options, complete, that its clean-up steps and command-line commands ask
 *   for
 * @typeParam Given the options that its safety rules look at, none of them required
 * @typeParam Names the names that its settings may have
 * @typeParam Event the names of the audit events of all features
 */
export interface Feature<
  Options = unknown,
  Given = unknown,
  Names extends string = string,
  Event extends string = string,
> {
  readonly name: string
  readonly settings?: readonly Setting<Names>[]
  readonly rules?: readonly Rule<Given>[]
  /** The names of what it writes into the audit record. */
  readonly auditEvents?: readonly Event[]
  readonly rates?: readonly LimitRate[]
  readonly metrics?: readonly Metric[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Options>[]
  readonly cliCommands?: readonly CliCommand<Call<Options>>[]
}

/** A list of features that has all settings of these names; for another it is what is missing. */
export type WithSettings<Names extends string, List extends readonly WithName[]> = [Names] extends [SettingNames<List>]
  ? List
  : { readonly missing: Exclude<Names, SettingNames<List>> }

type WithName = Pick<Feature, 'name' | 'settings'>
type SettingNames<List extends readonly WithName[]> = NamesOf<List[number]>
type NamesOf<F> = F extends { readonly settings?: infer L } ? (L extends SettingsNamed<infer N> ? N : never) : never
type SettingsNamed<N extends string> = readonly Setting<N>[]
