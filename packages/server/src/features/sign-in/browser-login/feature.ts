import { isHttpElsewhere } from '../../../base/this-machine.ts'
import type { Feature } from '../../../feature/feature.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { onOrOff, parseWholeNumber, wholeNumber } from '../../../feature/values.ts'
import { purgeBrowserLogins } from './store.ts'

export interface LoginPageOptions {
  /**
   * Whether Keystile has pages on which people log in, register and see their account: `/login`,
   * `/logout`, `/register` and `/account`, below the issuer. Default: `off`, because an
   * app may have pages at these paths.
   */
  readonly loginPages?: 'on' | 'off'
  /**
   * For how many days a person may choose that the login pages ask for no second factor on a device
   * where the person has proved one, 0 to 90. Default: 0, which offers no choice.
   */
  readonly rememberFactorDays?: number
}

const loginPages: DefaultedSetting<'loginPages', 'on' | 'off'> = {
  name: 'loginPages',
  takenBy: 'both',
  schema: onOrOff,
  default: 'off',
  standAloneDefault: ({ issuer }) =>
    typeof issuer === 'string' && isHttpElsewhere(issuer) ? 'off' : 'on',
  defaultText: 'on for the stand-alone server, off in an app',
  help: 'on or off: whether there are the pages ISSUER/login, /logout, /register and /account',
  environment: ['KEYSTILE_LOGIN_PAGES'],
}

const rememberFactorDays: DefaultedSetting<'rememberFactorDays', number> = {
  name: 'rememberFactorDays',
  takenBy: 'both',
  schema: wholeNumber(0, 90, { of: ' of days' }),
  default: 0,
  help: 'how many days the login pages may skip the second factor on a device; 0: never',
  environment: ['KEYSTILE_REMEMBER_FACTOR_DAYS'],
  parse: parseWholeNumber,
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly loginPages?: 'on' | 'off' | undefined
}

/** Stops the start if the cookie of a login could never work. */
const loginPagesHttps: Rule<RuleOptions> = {
  id: 'login-pages-https',
  standard: 'RFC 6265 §4.1.2.5',
  severity: 'stop',
  demand: 'the pages of a login require an issuer that is https or on this machine',
  find({ options: { loginPages: pages, issuer } }, say) {
    if (pages !== 'on' || !isHttpElsewhere(issuer)) return []

    const [about, url] = [say.name('loginPages'), say.name('issuer')]
    const message = `must be off unless ${url} is https: browsers refuse the cookie over http`
    const fix = `put TLS in front and give the https URL as ${url}, or leave ${about} out`
    return [{ about, message, fix }]
  },
}

/** The logins of browsers at the pages. */
export const feature: Feature<LoginPageOptions, never, RuleOptions> = {
  name: 'browser-login',
  settings: listSettings<LoginPageOptions>({ loginPages, rememberFactorDays }),
  rules: [loginPagesHttps],
  cleanUp: [{ command: purgeBrowserLogins, time: 'clock', before: (time) => time }],
}
