import { listSettings, type DefaultedSetting, type SettingList } from '../../feature/setting.ts'
import { onOrOff } from '../../feature/values.ts'

export interface LimitOptions {
  /**
   * Whether guesses are limited: logins by account and by address, and what else can be guessed or filled up. `off` is for those
   * who do it in front of Keystile. Default: on.
   */
  readonly rateLimits?: 'on' | 'off'
}

const rateLimits: DefaultedSetting<'rateLimits', 'on' | 'off'> = {
  name: 'rateLimits',
  takenBy: 'both',
  schema: onOrOff,
  default: 'on',
  help: 'whether guesses are limited; off is for servers behind something that limits them',
  environment: ['KEYSTILE_RATE_LIMITS'],
}

export const settings: SettingList<LimitOptions> = listSettings<LimitOptions>({ rateLimits })
