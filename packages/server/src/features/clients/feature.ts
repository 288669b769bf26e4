import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Recorded refusals of clients at an address. A secret of 256 bits cannot be guessed; a disk can be
 * filled.
 */
export const clientRefusalRate: LimitRate = {
  name: 'client',
  burst: 20,
  intervalMilliseconds: minuteMilliseconds,
}

const auditEvents = [
  'client_created',
  'client_secret_rotated',
  'client_disabled',
  /** A client was unknown or had a wrong secret; the entry names the client where it exists. */
  'client_refused',
] as const

/** What clients write into the audit record. */
export type ClientEvent = (typeof auditEvents)[number]

/**
 * OAuth clients and their authentication. Their command-line commands are in the record of `oauth`,
 * which knows the grants that a client may be registered for.
 */
export const feature: Feature<object, ClientEvent> = {
  name: 'clients',
  auditEvents,
  rates: [clientRefusalRate],
}
