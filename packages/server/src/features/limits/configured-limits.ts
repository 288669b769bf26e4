import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { createLimits, noLimits, type Limits } from './limits.ts'

/** The settings that choose the limits. */
export interface LimitChoice {
  readonly rateLimits: 'on' | 'off'
  readonly trustedProxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Returns the limits that the options ask for. Rate limits by address apply only if
 * `trustedProxies` is set, and never to a trusted proxy. All users behind a proxy share its
 * address, so a limit on the address would block them all.
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
