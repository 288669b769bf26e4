import { isHttpElsewhere } from '../../../base/this-machine.ts'
import type { Feature } from '../../../feature/feature.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { parseBoolean, trueOrFalse } from '../../../feature/values.ts'

export interface BrowserSessionOptions {
  /**
   * Whether browsers may keep the refresh token in a cookie that no script can read. Adds `POST
   * /session`, `POST /session/refresh` and `DELETE /session`. Default: false.
   */
  readonly cookieSession?: boolean
}

const cookieSession: DefaultedSetting<'cookieSession', boolean> = {
  name: 'cookieSession',
  takenBy: 'both',
  schema: trueOrFalse,
  default: false,
  help: 'true lets browsers keep the refresh token in a cookie that no script can read',
  environment: ['KEYSTILE_COOKIE_SESSION'],
  parse: parseBoolean,
  findFaults: (isOn, { values: { issuer } }, say) =>
    isOn && typeof issuer === 'string' && issuer.includes(';')
      ? [
          `must be false while ${say.name('issuer')} has ";": ` +
            'the path of a cookie would end there (RFC 6265 §4.1.1)',
        ]
      : [],
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly cookieSession?: boolean | undefined
}

/**
 * Stops the start if cookies could never work, because browsers refuse a `Secure` cookie over http.
 */
const cookieHttps: Rule<RuleOptions> = {
  id: 'cookie-https',
  standard: 'RFC 6265 §4.1.2.5',
  severity: 'stop',
  demand: 'refresh tokens in cookies require an issuer that is https or on this machine',
  find({ options: { cookieSession, issuer } }, say) {
    if (!cookieSession || !isHttpElsewhere(issuer)) return []

    const [about, issuerName] = [say.name('cookieSession'), say.name('issuer')]
    const message =
      `must be false unless ${issuerName} is an https URL: ` +
      'browsers refuse the cookie over http'
    const fix = `put TLS in front and give the https URL as ${issuerName}, or leave ${about} out`
    return [{ about, message, fix }]
  },
}

/** Sessions of browsers, with the refresh token in a cookie. */
export const feature: Feature<BrowserSessionOptions, never, RuleOptions> = {
  name: 'browser-session',
  settings: listSettings<BrowserSessionOptions>({ cookieSession }),
  rules: [cookieHttps],
}
