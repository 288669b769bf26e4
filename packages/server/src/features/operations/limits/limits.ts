import { ProblemError, type Clock, type Logger } from 'keystile/internal'
import { secondMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import { createRefusedKeys } from './refused-keys.ts'
import { refundUses, readVerdict, spend } from './store.ts'
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
   * Returns true if an address belongs to one user or network. Returns false if it is unknown, or
   * if it may belong to a proxy, because many users share it.
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
   * @returns the counted uses; if a limit is exhausted, the milliseconds to wait
   */
  async function spendAll(
    uses: readonly Use[],
    patienceMilliseconds?: number,
  ): Promise<Spent | number> {
    const values = { uses, now: clock.now() }
    const spent = { uses, at: values.now }
    if (uses.length === 0) return spent

    const keys = uses.map(({ key }) => key)
    const known = keys.some((key) => refused.has(key))
      ? await readVerdict(database.reader, values)
      : undefined
    const verdict =
      known && known.wait > 0 ? known : await database.write(spend, values, patienceMilliseconds)
    refused.remember(keys, verdict.refused)
    return verdict.wait > 0 ? verdict.wait : spent
  }

  return {
    isOn: true,
    async count(uses, patienceMilliseconds) {
      const spent = await spendAll(uses, patienceMilliseconds)
      if (typeof spent === 'object') return spent
      throw new ProblemError('too_many_requests', 'Too many tries: wait before you try again', {
        retryAfterSeconds: Math.ceil(spent / secondMilliseconds),
      })
    },
    async tryCount(uses, patienceMilliseconds) {
      const spent = await spendAll(uses, patienceMilliseconds)
      return typeof spent === 'object' ? spent : undefined
    },
    usesAt: (rate, address) =>
      isLimited(address) && address !== undefined ? usesAt(rate, address) : [],
    async refund(spent) {
      if (spent.uses.length === 0) return
      await database
        .write(refundUses, { spent, now: clock.now() })
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
