import type { CleanUpStep } from './clean-up.ts'
import type { Setting } from './setting.ts'

/**
 * What is known of a feature before anything is opened, as plain values.
 *
 * @typeParam Options the settings that its clean-up steps ask for
 */
export interface Feature<Options = unknown> {
  readonly name: string
  readonly settings?: readonly Setting[]
  /** How its rows are deleted that it no longer needs. */
  readonly cleanUp?: readonly CleanUpStep<Options>[]
}
