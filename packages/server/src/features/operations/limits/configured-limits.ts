import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { createLimits, noLimits, type Limits } from './limits.ts'

export interface LimitChoice {
  readonly rateLimits: 'on' | 'off'
  readonly trustedProxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Creates the rate limits that the settings describe. Rate limits per IP address apply only if
 * `trustedProxies` is set, and not to the address of a trusted proxy. All users behind a proxy
 * share the proxy's address, so a limit for this address would block all of them.
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
