import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { createLimits, noLimits, type Limits } from './limits.ts'

/** What the options say of limits. */
export interface LimitChoice {
  readonly rateLimits: 'on' | 'off'
  readonly trustedProxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Returns the limits that the options ask for. Addresses count where it is said who stands before us: else one of them may be
 * a proxy, which stands for everybody.
 */
export function createConfiguredLimits(
  database: Database,
  { rateLimits, trustedProxies, clock, logger }: LimitChoice,
  isTrustedProxy: (address: string) => boolean,
): Limits {
  if (rateLimits === 'off') return noLimits
  const isLimited = (address: string): boolean => trustedProxies !== undefined && !isTrustedProxy(address)
  return createLimits(database, { clock, logger, isLimited })
}
