import { createHash } from 'node:crypto'
import { ProblemError, type Clock, type Logger } from 'keystile/internal'
import { networkOf } from '../../base/network.ts'
import { secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import type { Database } from '../../storage/database.ts'
import { createRefusedKeys } from './refused-keys.ts'
import { giveBack, readVerdict, spend } from './store.ts'
import type { Spent, Use } from './uses.ts'

/**
 * Counts uses of rate limits before anything is tried, so that of many at once no more get through.
 * The counts lie in the database, so all instances share them. A feature declares its limits in
 * its record.
 */
export interface Limits {
  /**
   * Counts each of these uses, or none of them where one limit is exhausted.
   *
   * @param patienceMilliseconds how long the count may wait to share a commit with others
   * @throws {ProblemError} `too_many_requests`
   * @throws {DatabaseUnavailableError} when it cannot be counted now
   */
  count(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent>
  /**
   * The same, where the answer must not depend on it.
   *
   * @returns `undefined` where a limit is exhausted
   * @throws {DatabaseUnavailableError} when it cannot be counted now
   */
  tryCount(uses: readonly Use[], patienceMilliseconds?: number): Promise<Spent | undefined>
  /** The use of a limit at an IP address; none where the address may be that of a proxy. */
  usesAt(rate: LimitRate, address: string | undefined): readonly Use[]
  /**
   * Refunds what was no guess after all. Never fails: what cannot be refunded comes back with time.
   */
  refund(spent: Spent): Promise<void>
}

/**
 * One use of a limit. Its key is hashed, because a name may be a password, typed into the wrong
 * field.
 */
export function useOf(rate: LimitRate, key: string): Use {
  return { key: createHash('sha256').update(`${rate.name}\n${key}`).digest('base64url'), rate }
}

export function createLimits(
  database: Pick<Database, 'reader' | 'write'>,
  options: {
    readonly clock: Clock
    readonly logger: Logger
    /** Whether an address belongs to one user or network, and not to a proxy in front of many. */
    isLimited(address: string): boolean
  },
): Limits {
  const { clock, logger, isLimited } = options
  const refused = createRefusedKeys()

  /** @returns what was counted, or the milliseconds to wait */
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
        .write(giveBack, { spent, now: clock.now() })
        .catch((error: unknown) =>
          logger.debug({ err: error }, 'what was counted could not be given back'),
        ),
  }
}

const nothing: Spent = { uses: [], at: 0 }

/** For a server behind something that limits logins. */
export const noLimits: Limits = {
  count: async () => nothing,
  tryCount: async () => nothing,
  usesAt: () => [],
  refund: async () => {},
}
