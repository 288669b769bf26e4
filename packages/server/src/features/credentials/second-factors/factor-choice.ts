import type { Others } from '../../../feature/setting.ts'

/** The values of the setting `secondFactor`. */
export const secondFactorChoices = ['off', 'optional', 'required'] as const
export type SecondFactorChoice = (typeof secondFactorChoices)[number]

/** Whether the setting `secondFactor` is off, given the valid settings. */
export function isOff({ values, unread }: Pick<Others, 'values' | 'unread'>): boolean {
  return !unread.has('secondFactor') && (values['secondFactor'] ?? 'off') === 'off'
}
