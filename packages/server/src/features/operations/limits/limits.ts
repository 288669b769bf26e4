import { ProblemError, type Clock, type Logger } from 'keystile/internal'
import { secondMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import { createRefusedKeys } from './refused-keys.ts'
import { countAttempt, readVerdict, refundAttempt } from './store.ts'
import { usesAt, type Spent, type Use } from './uses.ts'

/**
 * Counts uses of rate limits. Count a use before the attempt begins, so that parallel attempts
 * together cannot exceed the limit. The counts are in the database, so all processes share them.
 * Each feature declares its limits in its `Feature` record.
 */
export interface Limits {
  /** False if the setting `rateLimits` is `off`: then nothing is counted. */
  readonly isOn: boolean
  /**
   * Counts all given uses. If one of their limits is exhausted, counts none of them and throws.
   *
   * @param patienceMilliseconds how many milliseconds the count may wait, so that it can share one
   *   database commit with other writes
   * @throws {ProblemError} `too_many_requests`
   * @throws {DatabaseUnavailableError} if the database cannot be written now. The caller must then
   *   stop the attempt, because the attempt was not counted
   */
  count(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent>
  /**
   * Counts like `count()`, but returns undefined instead of throwing an error if a limit is
   * exhausted. For callers whose answer must not depend on the limit.
   *
   * @throws {DatabaseUnavailableError} if the database cannot be written now
   */
  tryCount(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent | undefined>
  /**
   * Returns the uses of a limit for an IP address: see `usesAt()` of `uses.ts`. The list is empty
   * if the address is unknown or may belong to a proxy: a limit for a proxy would block all users
   * behind it.
   */
  usesAt(rate: LimitRate, address: string | undefined): readonly Use[]
  /**
   * Refunds the uses of an attempt that was not a guess. Logs a failure and does not throw it,
   * because a limit refills with time anyway.
   */
  refund(spent: Spent): Promise<void>
}

interface LimitParts {
  readonly clock: Clock
  readonly logger: Logger
  /**
   * Whether an address belongs to one user or network. False if it is unknown, or if it may belong
   * to a proxy, because many users share it.
   */
  isLimited(address: string | undefined): boolean
}

export function createLimits(
  database: Pick<Database, 'reader' | 'write'>,
  { clock, logger, isLimited }: LimitParts,
): Limits {
  const refused = createRefusedKeys()

  /**
   * Counts the uses. If one of the limits was exhausted at its last use, reads the limits first, so
   * that a flood of refused attempts costs only reads.
   *
   * @returns the uses, and how many milliseconds to wait. They were counted if `wait` is 0
   */
  async function countOrWait(
    uses: readonly Use[],
    patienceMilliseconds?: number,
  ): Promise<{ readonly spent: Spent; readonly wait: number }> {
    const now = clock.now()
    const spent = { uses, at: now }
    if (uses.length === 0) return { spent, wait: 0 }

    const keys = uses.map(({ key }) => key)
    const mayBeRefused = keys.some((key) => refused.has(key))
    const read = mayBeRefused ? await readVerdict(database.reader, { uses, now }) : undefined
    const verdict =
      read && read.wait > 0
        ? read
        : await database.write(countAttempt, { uses, now }, patienceMilliseconds)
    refused.remember(keys, verdict.refused)
    return { spent, wait: verdict.wait }
  }

  return {
    isOn: true,
    async count(uses, patienceMilliseconds) {
      const { spent, wait } = await countOrWait(uses, patienceMilliseconds)
      if (wait === 0) return spent

      throw new ProblemError('too_many_requests', 'Too many tries: wait before you try again', {
        retryAfterSeconds: Math.ceil(wait / secondMilliseconds),
      })
    },
    async tryCount(uses, patienceMilliseconds) {
      const { spent, wait } = await countOrWait(uses, patienceMilliseconds)
      return wait === 0 ? spent : undefined
    },
    // `isLimited()` comes first, because it may warn that the address is missing.
    usesAt: (rate, address) =>
      isLimited(address) && address !== undefined ? usesAt(rate, address) : [],
    async refund(spent) {
      if (spent.uses.length === 0) return
      await database
        .write(refundAttempt, { spent, now: clock.now() })
        .catch((error: unknown) =>
          logger.debug({ err: error }, 'a rate limit could not be refunded'),
        )
    },
  }
}

const nothing: Spent = { uses: [], at: 0 }

/** Rate limits that count nothing, for a server behind a proxy that limits logins itself. */
export const noLimits: Limits = {
  isOn: false,
  count: async () => nothing,
  tryCount: async () => nothing,
  usesAt: () => [],
  refund: async () => {},
}
