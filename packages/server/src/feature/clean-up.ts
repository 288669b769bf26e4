import type { Command } from '../storage/database.ts'
import type { CounterMetric } from './metric.ts'

/**
 * The largest number of rows that one run of a command deletes. Such a run takes a few
 * milliseconds. On SQLite, all other writes wait until the run ends.
 */
export const maxPurgedAtOnce = 500

/**
 * The largest expected difference between the clocks of two processes. Expired rows stay for this
 * long, because a process whose clock is behind may still need them.
 */
export const clockMarginMilliseconds: number = 24 * 60 * 60 * 1000

/** The number of rows that a command has deleted. Zero means that no expired row is left. */
export interface Purged {
  readonly purged: number
}

/** A command that deletes some of the rows that expired before a given time. */
export type PurgeCommand = Command<{ readonly before: number }, Purged>

/**
 * A step that deletes rows that a feature no longer needs. Housekeeping repeats the command until
 * no such row is left.
 *
 * @typeParam Options the settings that `before` reads
 */
export interface CleanUpStep<Options = unknown> {
  readonly command: PurgeCommand
  /**
   * Which time is passed to `before()`. `clock`: the time of this process's clock. If the clock is
   * ahead, the step may delete rows too early. `recorded`: the time of this process's clock or of
   * the newest audit entry, whichever is earlier. So a process whose clock is ahead does not delete
   * rows too early. If there is no audit entry, a step with `recorded` does not run.
   */
  readonly time: 'recorded' | 'clock'
  /** Returns a time in milliseconds. The command deletes the rows that expired before this time. */
  before(time: number, options: Options): number
  /** Counts the deleted rows. */
  readonly counter?: CounterMetric<{}>
}
