import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'

/**
 * Limits the set-up of a factor: its secrets and first codes per session, secrets within a login
 * and new recovery codes per user. A caller gains nothing, but a secret costs a QR code, and the
 * others a write or an audit entry.
 */
export const enrolmentRate: LimitRate = {
  name: 'factor-enrolment',
  burst: 20,
  intervalMilliseconds: 10 * minuteMilliseconds,
}
