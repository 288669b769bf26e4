import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { createLimits, noLimits, type Limits } from './limits.ts'

export interface LimitChoice {
  readonly rateLimits: 'on' | 'off'
  readonly trustedProxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
}

const missingAddress =
  'a request came without the IP address of its client, or with that of a trusted proxy, so no ' +
  'limit by address applies to it. This is right if the client runs on the machine of the proxy. ' +
  'Fix otherwise: let the proxy set X-Forwarded-For; if it connects over a UNIX socket, add ' +
  'unix: to trustedProxies; if the app calls keystile.fetch, or mount of keystile/web or ' +
  'keystile/hono, pass the address to it'

/**
 * Creates the rate limits that the settings describe. Rate limits per IP address apply only if
 * `trustedProxies` is set, and not to the address of a trusted proxy. All users behind a proxy
 * share the proxy's address, so a limit for this address would block all of them. Warns once if a
 * request to which such a limit should apply comes without the address of its client.
 */
export function createConfiguredLimits(
  database: Database,
  { rateLimits, trustedProxies, clock, logger }: LimitChoice,
  isTrustedProxy: (address: string) => boolean,
): Limits {
  if (rateLimits === 'off') return noLimits

  let hasWarned = false
  const isLimited = (address: string | undefined): boolean => {
    if (trustedProxies === undefined) return false
    if (address !== undefined && !isTrustedProxy(address)) return true

    if (!hasWarned) logger.warn({}, missingAddress)
    hasWarned = true
    return false
  }
  return createLimits(database, { clock, logger, isLimited })
}
