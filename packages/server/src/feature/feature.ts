import type { CleanUpStep } from './clean-up.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the settings that its clean-up steps ask for
 * @typeParam Names the names that its settings may have
 */
export interface Feature<Options = unknown, Names extends string = string> {
  readonly name: string
  readonly settings?: readonly Setting<Names>[]
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
