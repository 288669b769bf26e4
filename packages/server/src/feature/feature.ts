import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Rule } from './rule.ts'
import type { Setting, SettingList } from './setting.ts'

/**
 * Describes a feature with plain values: its settings, rules, metrics and commands. The record does
 * not contain the feature's routes and services. The folder of a feature exports this record from
 * `feature.ts`, and `server/features.ts` lists all records.
 *
 * @typeParam Own the interface of the feature's options. If it has members, `settings` is required.
 * @typeParam Event the names of the feature's audit events. If there are any, `auditEvents` is
 *   required.
 * @typeParam Given the options that the feature's safety rules read. Each of them is optional.
 * @typeParam Used the options that the feature's clean-up steps and commands read. Their defaults
 *   are filled in.
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
  readonly auditEvents?: readonly Event[]
}

interface Parts<Given, Used> {
  readonly name: string
  readonly rules?: readonly Rule<Given>[]
  readonly rates?: readonly LimitRate[]
  readonly metrics?: readonly Metric[]
  readonly cleanUp?: readonly CleanUpStep<Used>[]
  readonly cliCommands?: readonly CliCommand<Call<Used>>[]
}

/**
 * The member `Part` of the record. It is required if `Names` has members, and forbidden if `Names`
 * is empty.
 */
type PartFor<Part extends string, List, Names> = [Names] extends [never]
  ? { readonly [P in Part]?: never }
  : { readonly [P in Part]: List }

/**
 * If the features in `List` have a setting for each of `Names`, this type is `List`. Otherwise this
 * type is an object with the missing names, so that the compiler's message shows them.
 */
export type WithSettings<Names extends string, List extends readonly object[]> = Complete<
  Names,
  SettingNameOf<List[number]>,
  List
>

/**
 * If the features in `List` have an audit event for each of `Names`, this type is `List`. Otherwise
 * this type is an object with the missing names.
 */
export type WithAuditEvents<Names extends string, List extends readonly object[]> = Complete<
  Names,
  AuditEventOf<List[number]>,
  List
>

export type AuditEventOf<F> = F extends {
  readonly auditEvents: readonly (infer E extends string)[]
}
  ? E
  : never

type SettingNameOf<F> = F extends { readonly settings: readonly Setting<infer N>[] } ? N : never

type Complete<Names, Found, List> = [Names] extends [Found]
  ? List
  : { readonly missing: Exclude<Names, Found> }
