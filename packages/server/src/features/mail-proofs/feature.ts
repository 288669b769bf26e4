import type { Feature } from '../../feature/feature.ts'
import { minuteMilliseconds, secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import { purgeProofs } from './purge-store.ts'

/**
 * How many wrong codes can be tried for one mail. After that, even its right code is refused. Its
 * link still works.
 */
export const maxTries = 5

/**
 * How many valid proofs a user can have for one purpose. The proofs that a known device asked for
 * are counted separately.
 */
export const maxLiveProofs = 3

/**
 * How long a confirmation can claim a proof for itself. During this time the app stores the change,
 * and no other confirmation can use the proof.
 */
export const claimMilliseconds: number = 30 * secondMilliseconds

/**
 * Limits wrong codes to 20 a day, per account. Beyond the limit, only links work: an attacker
 * cannot guess a link. Applies even if `rateLimits` is off, because a proxy cannot know to which
 * account a code belongs.
 */
export const codeRate: LimitRate = {
  name: 'mail-code',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}

/** Links and codes in mails. They prove that a person can read a mailbox. */
export const feature: Feature = {
  name: 'mail-proofs',
  rates: [codeRate],
  cleanUp: [{ command: purgeProofs, time: 'clock', before: (time) => time }],
}
