import { minuteMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'

/**
 * Recorded refusals of clients at an address. A secret of 256 bits cannot be guessed; a disk can be
 * filled.
 */
export const clientRefusalRate: LimitRate = { name: 'client', burst: 20, intervalMilliseconds: minuteMilliseconds }

export const rates: readonly LimitRate[] = [clientRefusalRate]
