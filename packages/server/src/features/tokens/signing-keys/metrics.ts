import type { GaugeMetric, Reading } from '../../../feature/metric.ts'
import type { RotationTimes } from './plan.ts'
import type { SigningTimes } from './tables.ts'

export const signingKeyAge: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_signing_key_age_seconds',
  help: 'How long the current signing key has been signing.',
}

/**
 * Shows the operator when the next key will sign. Set an alert for values below -86400: the next
 * key is then overdue by more than a day.
 */
export const signingKeyRemaining: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_signing_key_remaining_seconds',
  help: 'Time until the next signing key signs. Below 0, the next key is overdue.',
}

export function readingsOf(
  { signs_from, signs_until }: SigningTimes,
  now: number,
  { period }: RotationTimes,
): readonly Reading[] {
  const until = signs_until ?? signs_from + period
  return [
    { gauge: signingKeyAge, value: (now - signs_from) / 1000 },
    { gauge: signingKeyRemaining, value: (until - now) / 1000 },
  ]
}
