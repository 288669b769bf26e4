import { createHash } from 'node:crypto'
import { ProblemError, type Clock, type Logger } from 'keystile/internal'
import { networkOf } from '../../base/network.ts'
import { secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import type { Database } from '../../storage/database.ts'
import { createRefusedKeys } from './refused-keys.ts'
import { refundUses, readVerdict, spend } from './store.ts'
import type { Spent, Use } from './uses.ts'

/**
 * Counts uses of rate limits. A use is counted before its attempt begins, so parallel attempts
 * cannot exceed the limit together. The counts are in the database, so all processes share them.
 * Each feature declares its limits in its record.
 */
export interface Limits {
  /**
   * Counts all these uses. If one limit is exhausted, counts none of them.
   *
   * @param patienceMilliseconds how long the count may wait to share a database commit with other
   *   writes
   * @throws {ProblemError} `too_many_requests`
   * @throws {DatabaseUnavailableError} if the database cannot count now; the attempt must then
   *   stop, because it is not counted
   */
  count(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent>
  /**
   * Counts like `count`, for callers whose answer must not depend on the limit.
   *
   * @returns `undefined` when a limit is exhausted
   * @throws {DatabaseUnavailableError} when the database cannot count now
   */
  tryCount(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent | undefined>
  /**
   * Returns one use of a limit for an IP address. Returns none if the address may belong to a
   * proxy, because the limit would then block all users behind the proxy.
   */
  usesAt(rate: LimitRate, address: string | undefined): readonly Use[]
  /**
   * Refunds uses that turned out not to be guesses. Never throws, because the limit refills with
   * time anyway.
   */
  refund(spent: Spent): Promise<void>
}

/**
 * Returns one use of a limit. The key is hashed, because a user name may be a password, typed into
 * the wrong field.
 */
export function useOf(rate: LimitRate, key: string): Use {
  return { key: createHash('sha256').update(`${rate.name}\n${key}`).digest('base64url'), rate }
}

/** Creates the rate limits that a database counts. */
export function createLimits(
  database: Pick<Database, 'reader' | 'write'>,
  options: {
    readonly clock: Clock
    readonly logger: Logger
    /** Whether an address belongs to one user or network, not to a proxy in front of many users. */
    isLimited(address: string): boolean
  },
): Limits {
  const { clock, logger, isLimited } = options
  const refused = createRefusedKeys()

  /**
   * Counts the uses. If one of the limits was exhausted at its last use, reads the limits first, so
   * that a flood of refused attempts costs only reads.
   *
   * @returns the counted uses, or the milliseconds to wait
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
    async count(uses, patienceMilliseconds) {
      const spent = await spendAll(uses, patienceMilliseconds)
      if (typeof spent === 'object') return spent
      throw new ProblemError('too_many_requests', 'Too many tries: wait before the next', {
        retryAfterSeconds: Math.ceil(spent / secondMilliseconds),
      })
    },
    async tryCount(uses, patienceMilliseconds) {
      const spent = await spendAll(uses, patienceMilliseconds)
      return typeof spent === 'object' ? spent : undefined
    },
    usesAt: (rate, address) =>
      address !== undefined && isLimited(address) ? [useOf(rate, networkOf(address))] : [],
    refund: (spent) =>
      database
        .write(refundUses, { spent, now: clock.now() })
        .catch((error: unknown) =>
          logger.debug({ err: error }, 'a rate limit could not be refunded'),
        ),
  }
}

const nothing: Spent = { uses: [], at: 0 }

/** Counts nothing. For a server behind a proxy that limits logins. */
export const noLimits: Limits = {
  count: async () => nothing,
  tryCount: async () => nothing,
  usesAt: () => [],
  refund: async () => {},
}
