import { minuteMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/** The current password, which a change asks for, by session: 100 a day. */
export const proofRate: LimitRate = { name: 'proof', burst: 10, intervalMilliseconds: 16 * minuteMilliseconds }

/** E-mail addresses that a user asks for. The answer tells whether an address is taken. */
export const emailRate: LimitRate = { name: 'email', burst: 10, intervalMilliseconds: 16 * minuteMilliseconds }

/** Changes of a profile by its owner. Each writes an audit entry and up to 64 KiB of profile. */
export const profileRate: LimitRate = { name: 'profile', burst: 60, intervalMilliseconds: minuteMilliseconds }

/** Registrations at an address. */
export const registrationRate: LimitRate = {
  name: 'registration',
  burst: 50,
  intervalMilliseconds: 2 * minuteMilliseconds,
}

export const rates: readonly LimitRate[] = [proofRate, emailRate, profileRate, registrationRate]
