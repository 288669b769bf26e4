// The parts of a server that are on or off, as the page for developers lists them.
import { markup, type Html } from '../../../pages/html.ts'
import type { Icon } from '../../../pages/icons.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import type { StartOptions } from './start-options.ts'

export interface ServerPart {
  readonly icon: Icon
  /** The path of a page, or the method and the path of an endpoint. */
  readonly name: string
  readonly does: string
  /** Where the part is instead, or how to switch it on. Undefined if it is on. */
  readonly off?: Html | undefined
  /** Whether a browser cannot open the path. */
  readonly isEndpoint?: true
}

export function serverParts(
  options: StartOptions,
  { pages, hasMetrics }: { readonly pages: PageSettings; readonly hasMetrics: boolean },
): readonly ServerPart[] {
  const { mailUrl, registration, cookieSession, docs } = options
  const { base } = pages.brand
  const noPages = switchOn(pages.hasLogin, 'KEYSTILE_LOGIN_PAGES=on')
  const noRegistration = switchOn(registration === 'open', 'KEYSTILE_REGISTRATION=open')
  return [
    {
      icon: 'sheet',
      name: `${base}/docs`,
      does: 'Try each endpoint in the browser.',
      off: switchOn(docs === 'on', 'KEYSTILE_DOCS=on'),
    },
    {
      icon: 'lock',
      name: `${base}/login`,
      does: 'People log in here.',
      off: noPages,
    },
    {
      icon: 'passkey',
      name: `${base}/register`,
      does: 'They create their accounts here.',
      off: noPages ?? noRegistration,
    },
    {
      icon: 'sheet',
      name: `${base}/account`,
      does: 'They see and change their account here.',
      off: noPages,
    },
    {
      icon: 'lock',
      name: `${base}/account/forgot-password`,
      does: 'People ask for a new password here. Links in mails lead to pages like this.',
      off: mailPagesOff(options),
    },
    {
      icon: 'mail',
      name: `${base}/dev/mail`,
      does: 'Mails land here, not in mailboxes.',
      off: switchOn(mailUrl === 'console:', 'KEYSTILE_MAIL_URL=console:'),
    },
    {
      icon: 'passkey',
      name: `POST ${base}/users`,
      does: 'New users register themselves.',
      off: noRegistration,
      isEndpoint: true,
    },
    {
      icon: 'computer',
      name: `POST ${base}/session`,
      does: 'Browsers log in with a cookie.',
      off: switchOn(cookieSession, 'KEYSTILE_COOKIE_SESSION=true'),
      isEndpoint: true,
    },
    {
      icon: 'app',
      name: '/metrics',
      does: 'Numbers for Prometheus.',
      off: switchOn(hasMetrics, 'KEYSTILE_METRICS=on'),
    },
    {
      icon: 'link',
      name: `/.well-known/oauth-authorization-server${base}`,
      does: 'What clients read.',
    },
  ]
}

function mailPagesOff({ mailUrl, accountPagesUrl }: StartOptions): Html | undefined {
  if (mailUrl === undefined) return switchOn(false, 'KEYSTILE_MAIL_URL=console:')
  if (accountPagesUrl === undefined) return undefined
  return markup`Off. The links lead to <code>${accountPagesUrl}</code>`
}

/** Says how to switch a part on; undefined if it is on. */
function switchOn(isOn: boolean, variable: string): Html | undefined {
  return isOn ? undefined : markup`Off. To switch it on: <code>${variable}</code>`
}
