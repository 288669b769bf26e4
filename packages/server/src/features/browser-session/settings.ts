import { listSettings, type DefaultedSetting, type SettingList } from '../../feature/setting.ts'
import { trueOrFalse } from '../../feature/values.ts'

export interface BrowserSessionOptions {
  /**
   * Whether browsers may keep the refresh token in a cookie that no script can read: adds `POST /session`, `POST
   * /session/refresh` and `DELETE /session`. Default: false.
   */
  readonly cookieSession?: boolean
}

const cookieSession: DefaultedSetting<'cookieSession', boolean> = {
  name: 'cookieSession',
  takenBy: 'app',
  schema: trueOrFalse,
  default: false,
  help: 'whether browsers may keep the refresh token in a cookie that no script can read',
  findFaults: (isOn, { values: { issuer } }, say) =>
    isOn && typeof issuer === 'string' && issuer.includes(';')
      ? [`must be false while ${say.name('issuer')} has ";": the path of a cookie would end there (RFC 6265 §4.1.1)`]
      : [],
}

export const settings: SettingList<BrowserSessionOptions> = listSettings<BrowserSessionOptions>({ cookieSession })
