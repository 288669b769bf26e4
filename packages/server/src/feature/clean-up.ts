import type { Command } from '../storage/database.ts'

/**
 * The most rows that one run of a command deletes. That takes a few milliseconds, and on SQLite
 * every other writer waits meanwhile.
 */
export const maxPurgedAtOnce = 500

/**
 * The largest difference that we expect between the clocks of two processes. Expired rows stay for
 * this long, because a process whose clock is behind may still need them.
 */
export const clockMarginMilliseconds: number = 24 * 60 * 60 * 1000

/** The number of rows that a command has deleted. Zero means that no expired row is left. */
export interface Purged {
  readonly purged: number
}

/** A command that deletes some of the rows that expired before an instant. */
export type PurgeCommand = Command<{ readonly before: number }, Purged>

/**
 * The way in which a feature deletes rows that it no longer needs. Housekeeping repeats the command
 * until it deletes no row.
 *
 * @typeParam Options the settings that `before` reads
 */
export interface CleanUpStep<Options = unknown> {
  readonly command: PurgeCommand
  /**
   * The time that `before` gets. `recorded`: the newest time in the audit record or the clock,
   * whichever is earlier, so that a process whose clock is ahead does not delete rows too early.
   * `clock`: the clock, for rows whose times come from the same clock.
   */
  readonly time: 'recorded' | 'clock'
  /** Returns the instant before which expired rows are deleted. */
  before(time: number, options: Options): number
}
