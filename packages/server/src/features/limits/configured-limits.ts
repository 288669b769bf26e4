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
 * Returns the limits that the options ask for. Rate limits by address apply only when
 * `trustedProxies` is set, and never to a trusted proxy: its address would stand for all users, and
 * limiting it would be an outage.
 */
export function createConfiguredLimits(
  database: Database,
  { rateLimits, trustedProxies, clock, logger }: LimitChoice,
  isTrustedProxy: (address: string) => boolean,
): Limits {
  if (rateLimits === 'off') return noLimits
  const isLimited = (address: string): boolean =>
    trustedProxies !== undefined && !isTrustedProxy(address)
  return createLimits(database, { clock, logger, isLimited })
}
