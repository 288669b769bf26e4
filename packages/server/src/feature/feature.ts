import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Rule } from './rule.ts'
import type { Setting, SettingList } from './setting.ts'

/**
 * A feature as plain values: its settings, rules, metrics and commands, without anything that runs.
 * The folder of a feature exports this record from `feature.ts`, and `server/features.ts` lists all
 * records.
 *
 * @typeParam Own the interface of the feature's options; if there are any, `settings` is required
 * @typeParam Event the names of the feature's audit events; if there are any, `auditEvents` is
 *   required
 * @typeParam Given the options that its safety rules read, each of them optional
 * @typeParam Used the options that its clean-up steps and commands read, with defaults filled in
 */
export type Feature<
  Own extends object = object,
  Event extends string = never,
  Given = unknown,
  Used = unknown,
> = Parts<Given, Used> &
  PartFor<'settings', SettingList<Own>, keyof Own> &
  PartFor<'auditEvents', readonly Event[], Event>

/** Any feature, for code that lists features without knowing their options. */
export interface AnyFeature<Given, Used, Event extends string> extends Parts<Given, Used> {
  readonly settings?: readonly Setting[]
  /** The names of the events that the feature writes into the audit record. */
  readonly auditEvents?: readonly Event[]
}

interface Parts<Given, Used> {
  readonly name: string
  readonly rules?: readonly Rule<Given>[]
  readonly rates?: readonly LimitRate[]
  readonly metrics?: readonly Metric[]
  /** The steps that delete rows that the feature no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Used>[]
  readonly cliCommands?: readonly CliCommand<Call<Used>>[]
}

/** A part of the record: required when `Names` has members, and forbidden when it has none. */
type PartFor<Part extends string, List, Names> = [Names] extends [never]
  ? { readonly [P in Part]?: never }
  : { readonly [P in Part]: List }

/**
 * The list of features, if it has a setting for each of these names. If a setting is missing, a
 * type that lists the missing names, so that the compiler's message shows them.
 */
export type WithSettings<Names extends string, List extends readonly object[]> = Complete<
  Names,
  SettingNameOf<List[number]>,
  List
>

/**
 * The list of features, if it has an audit event for each of these names. If an event is missing, a
 * type that lists the missing names.
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
