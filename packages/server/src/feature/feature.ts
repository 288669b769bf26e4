import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Rule } from './rule.ts'
import type { Setting, SettingList } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values. Its folder exports this
 * record from `feature.ts`.
 *
 * @typeParam Own the interface of its options; with one, it must have their settings
 * @typeParam Event the names of its audit events; with some, it must list them
 * @typeParam Given the options that its safety rules look at, none of them required
 * @typeParam Used the options, complete, that its clean-up steps and command-line commands ask for
 */
export type Feature<
  Own extends object = object,
  Event extends string = never,
  Given = unknown,
  Used = unknown,
> = Parts<Given, Used> &
  PartFor<'settings', SettingList<Own>, keyof Own> &
  PartFor<'auditEvents', readonly Event[], Event>

/** Any feature, where only its parts matter. */
export interface AnyFeature<Given, Used, Event extends string> extends Parts<Given, Used> {
  readonly settings?: readonly Setting[]
  /** The names of what it writes into the audit record. */
  readonly auditEvents?: readonly Event[]
}

interface Parts<Given, Used> {
  readonly name: string
  readonly rules?: readonly Rule<Given>[]
  readonly rates?: readonly LimitRate[]
  readonly metrics?: readonly Metric[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Used>[]
  readonly cliCommands?: readonly CliCommand<Call<Used>>[]
}

/** A part that is required where there are names for it, and absent where there are none. */
type PartFor<Part extends string, List, Names> = [Names] extends [never]
  ? { readonly [P in Part]?: never }
  : { readonly [P in Part]: List }

/** A list of features that has all settings of these names; for another it is what is missing. */
export type WithSettings<Names extends string, List extends readonly object[]> = Complete<
  Names,
  SettingNameOf<List[number]>,
  List
>

/**
 * A list of features that has all audit events of these names; for another it is what is missing.
 */
export type WithAuditEvents<Names extends string, List extends readonly object[]> = Complete<
  Names,
  AuditEventOf<List[number]>,
  List
>

/** The names of the audit events of a feature. */
export type AuditEventOf<F> = F extends {
  readonly auditEvents: readonly (infer E extends string)[]
}
  ? E
  : never

type SettingNameOf<F> = F extends { readonly settings: readonly Setting<infer N>[] } ? N : never

type Complete<Names, Found, List> = [Names] extends [Found]
  ? List
  : { readonly missing: Exclude<Names, Found> }
