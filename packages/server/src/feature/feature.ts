import type { CleanUpStep } from './clean-up.ts'
import type { LimitRate } from './limit-rate.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the settings that its clean-up steps ask for
 * @typeParam Event the names of the audit events of all features
 */
export interface Feature<Options = unknown, Event extends string = string> {
  readonly name: string
  readonly settings?: readonly Setting[]
  /** The names of what it writes into the audit record. */
  readonly auditEvents?: readonly Event[]
  readonly rates?: readonly LimitRate[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Options>[]
}
