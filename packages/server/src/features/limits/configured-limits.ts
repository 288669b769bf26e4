import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { noLimits, openLimits, type Limits } from './limits.ts'

/** What the options say of limits. */
export interface LimitChoice {
  readonly rateLimits: 'on' | 'off'
  readonly trustedProxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Opens the limits that the options ask for. Addresses count where it is said who stands before us: else one of them may be
 * a proxy, which stands for everybody.
 */
export async function openConfiguredLimits(
  database: Database,
  { rateLimits, trustedProxies, clock, logger }: LimitChoice,
  isTrustedProxy: (address: string) => boolean,
): Promise<Limits> {
  if (rateLimits === 'off') return noLimits
  const isLimited = (address: string): boolean => trustedProxies !== undefined && !isTrustedProxy(address)
  return openLimits(database, { clock, logger, isLimited })
}
