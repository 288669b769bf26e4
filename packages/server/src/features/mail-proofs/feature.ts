import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import { purgeProofs } from './purge-store.ts'

/** After this many wrong codes, no code of the request is right. Its link still works. */
export const maxTries = 5

/** The number of proofs of one purpose that a user has at once. */
export const maxLiveProofs = 3

/** How long a confirmation has a proof for itself, while the app stores the change. */
export const claimMilliseconds: number = 30 * secondMilliseconds

/**
 * Limits wrong codes to 20 a day, per account. Beyond that only links work, which no attacker can
 * guess. It applies even if `rateLimits` is off: a proxy does not know which account a code is for.
 */
export const codeRate: LimitRate = {
  name: 'mail-code',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}

/** Links and codes in mails, which prove that a person reads a mailbox. */
export const feature: Feature = {
  name: 'mail-proofs',
  rates: [codeRate],
  cleanUp: [{ command: purgeProofs, time: 'clock', before: (time) => time }],
}
