import type { Command } from '../storage/database.ts'

/**
 * Rows that one step deletes at most: some milliseconds, for which every other writer has to wait.
 */
export const maxPurgedAtOnce = 500

/**
 * By how much the clocks of two processes may differ: rows that expired by one clock stay for so
 * long, because they may matter to a process whose clock is behind.
 */
export const clockMarginMilliseconds: number = 24 * 60 * 60 * 1000

/** How many rows a step has deleted; with none, no row of the kind is left to delete. */
export interface Purged {
  readonly purged: number
}

/** Deletes some of the rows that expired before an instant. */
export type PurgeCommand = Command<{ readonly before: number }, Purged>

/**
 * How a feature deletes the rows that it no longer needs: housekeeping runs the command until
 * nothing is left.
 *
 * @typeParam Options the settings that it asks for
 */
export interface CleanUpStep<Options = unknown> {
  readonly command: PurgeCommand
  /**
   * Which time `before` is given. `recorded`: that of the audit record where it is earlier than the
   * clock, so that a process whose clock is ahead deletes nothing by it. `clock`: for what is
   * counted by the same clock.
   */
  readonly time: 'recorded' | 'clock'
  /** The instant before which rows are deleted. */
  before(time: number, options: Options): number
}
