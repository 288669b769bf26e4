// A feature describes itself in a record of plain values, which are known before the database
// opens. The code that uses a part reads the list of all records, server/features.ts:
//
// - `settings` (`setting.ts`): options, variables, flags, help, messages,
//   docs/reference/settings.md
// - `rules` (`rule.ts`): the start, `keystile config check` and `keystile doctor`
// - `auditEvents`: the audit record and its page
// - `rates` (`limit-rate.ts`): features/operations/limits
// - `metrics` (`metric.ts`): /metrics
// - `cleanUp` (`clean-up.ts`): features/operations/housekeeping
// - `cliCommands` (`cli-command.ts`): dispatch, help, completion
//
// The list also has records of what is not a feature: in configuration/ and listener/feature.ts.
//
// Settings: the public interface of the options is written by hand beside the record, and
// `listSettings` compiles only if both agree. A message names a setting as the user wrote it:
// `issuer` in an app (`wording.ts`), `KEYSTILE_ISSUER` or `--issuer` in the stand-alone server
// (`stand-alone-wording.ts`).
//
// Safety rules judge a `Situation` (`situation.ts`): the options, the address to listen on, and the
// state of the machine. server/options.ts applies them before the database opens, and
// configuration/enforce-rules.ts once more afterwards, with the facts that configuration/machine.ts
// has read about files, clock and database. So a rule that cannot be checked yet returns undefined.
// Each rule is written a second time for the tests
// (packages/server/test-support/rules/predicates.ts).
//
// The code of command-line commands is in `cli.ts` of a feature. It is loaded when a user types the
// command, so an app never loads it. It gets a `Call`: operand, flags, terminal, settings, and a
// function that opens the database. `listing.ts` prints lists.
//
// What is not in the record: transaction commands (server/commands.ts), and routes and services,
// which server/wire/ connects.
import type { CleanUpStep } from './clean-up.ts'
import type { Call, CliCommand } from './cli-command.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Metric } from './metric.ts'
import type { Rule } from './rule.ts'
import type { SettingList } from './setting.ts'

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
> = FeatureParts<Given, Used> &
  PartFor<'settings', SettingList<Own>, keyof Own> &
  PartFor<'auditEvents', readonly Event[], Event>

/** What every feature may describe. */
export interface FeatureParts<Given, Used> {
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
