import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import { purgeProofs } from './purge-store.ts'

/**
 * How many wrong codes can be tried for one mail. After so many wrong codes, the right code is
 * refused too, but the link still works.
 */
export const maxTries = 5

/**
 * How many valid proofs of one purpose a user can have. The limit applies to each known device
 * separately: see `Resolution.device`.
 */
export const maxLiveProofs = 3

/**
 * How long a confirmation can claim a proof for itself. During this time the app stores the change,
 * and no other confirmation can use the proof.
 */
export const claimMilliseconds = 30_000

/**
 * Limits wrong codes to 20 a day for each account and for each mailbox. Beyond the limit, codes are
 * refused and only links work, because an attacker cannot guess a link. The limit applies even if
 * `rateLimits` is off: a proxy cannot apply this limit, because no proxy knows to which account a
 * code belongs.
 */
export const codeRate: LimitRate = {
  name: 'mail-code',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}

/** Links and codes in mails. They prove that a person can read a mailbox. */
export const feature: Feature = {
  name: 'proofs',
  rates: [codeRate],
  cleanUp: [{ command: purgeProofs, time: 'clock', before: (time) => time }],
}
