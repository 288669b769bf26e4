import type { DefaultedSetting } from '../../feature/setting.ts'
import { onOrOff } from '../../feature/values.ts'

export const rateLimits: DefaultedSetting<'rateLimits', 'on' | 'off'> = {
  name: 'rateLimits',
  takenBy: 'both',
  schema: onOrOff,
  default: 'on',
  help: 'whether guesses are limited; off is for servers behind something that limits them',
  environment: ['KEYSTILE_RATE_LIMITS'],
}
