import type { CleanUpStep } from './clean-up.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the settings that its clean-up steps ask for
 * @typeParam Names the names that its settings may have
 * @typeParam Event the names of the audit events of all features
 */
export interface Feature<
  Options = unknown,
  Names extends string = string,
  Event extends string = string,
> {
  readonly name: string
  readonly settings?: readonly Setting<Names>[]
  /** The names of what it writes into the audit record. */
  readonly auditEvents?: readonly Event[]
  readonly rates?: readonly LimitRate[]
  readonly metrics?: readonly Metric[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Options>[]
}

/** A list of features that has all settings of these names; for another it is what is missing. */
export type WithSettings<Names extends string, List extends readonly Feature[]> = [Names] extends [SettingNames<List>]
  ? List
  : { readonly missing: Exclude<Names, SettingNames<List>> }

type SettingNames<List extends readonly Feature[]> = NamesOf<List[number]>
type NamesOf<F> = F extends { readonly settings?: infer L } ? (L extends SettingsNamed<infer N> ? N : never) : never
type SettingsNamed<N extends string> = readonly Setting<N>[]
