import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'

/**
 * Limits refused client authentications, per IP address. The limit stops an attacker from filling
 * the disk with audit entries. It need not stop guesses, because a secret of 256 bits cannot be
 * guessed.
 */
export const clientRefusalRate: LimitRate = {
  name: 'client',
  burst: 20,
  intervalMilliseconds: minuteMilliseconds,
}

/**
 * Permissions that only some clients have. With `introspect`, a client may ask whether a token is
 * valid. With `revocations`, it may read the feed of revocations.
 */
export const permissions = ['introspect', 'revocations'] as const
export type Permission = (typeof permissions)[number]

const auditEvents = [
  'client_created',
  'client_secret_rotated',
  'client_disabled',
  /**
   * The authentication of a client failed. The entry has the client id only if an active client has
   * this id.
   */
  'client_refused',
] as const

export type ClientEvent = (typeof auditEvents)[number]

/**
 * OAuth clients and their authentication. The commands that manage clients are in the feature
 * `oauth`, because that feature knows the grants that a client may be registered for.
 */
export const feature: Feature<object, ClientEvent> = {
  name: 'clients',
  auditEvents,
  rates: [clientRefusalRate],
}
