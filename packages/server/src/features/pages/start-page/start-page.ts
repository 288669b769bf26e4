// The page at the root of the stand-alone server, and the page for unknown paths.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { isOnThisMachine } from '../../../base/this-machine.ts'
import { developmentPage } from '../../../pages/development.ts'
import { markup, type Html } from '../../../pages/html.ts'
import type { Icon } from '../../../pages/icons.ts'
import { actionsOf, partOf, rowsOf, stepsOf, type Button, type Row } from '../../../pages/parts.ts'
import { page, readerOf, type PageReader } from '../account-pages/reader.ts'
import { unavailablePage } from '../account-pages/refusal-page.ts'
import { continueButton } from '../account-pages/ways-on.ts'
import type { PageSettings } from '../brand/page-settings.ts'

export interface StartOptions {
  readonly issuer: string
  readonly corsOrigins?: readonly string[] | undefined
  readonly mailUrl?: string | undefined
  readonly appUrl?: string | undefined
  readonly accountPagesUrl?: string | undefined
  readonly registration: 'open' | 'closed'
  readonly cookieSession: boolean
  readonly docs: 'on' | 'off'
  readonly loginPages?: 'on' | 'off' | undefined
}

/** What the start page shows besides the settings. */
export interface Surroundings {
  readonly pages: PageSettings
  readonly hasMetrics: boolean
  hasAdministrator(): Promise<boolean>
  /** What an operator types to run a command of this installation. */
  readonly program: string
}

/**
 * Returns the start page. If the issuer is on this machine, the page is for developers: it says
 * what runs here, and how to switch on what is off. Otherwise it says where people log in.
 */
export async function startPage(
  request: HttpRequestWithBody,
  options: StartOptions,
  surroundings: Surroundings,
): Promise<HttpAnswer> {
  if (!isOnThisMachine(options.issuer)) return publicPage(request, options, surroundings.pages)

  const hasAdministrator = await surroundings.hasAdministrator().catch(() => undefined)
  return hasAdministrator === undefined
    ? unavailablePage(request, surroundings.pages)
    : developersPage(options, { ...surroundings, hasAdministrator })
}

/** Returns the page for a path that has no page. */
export function notFoundPage(request: HttpRequestWithBody, pages: PageSettings): HttpAnswer {
  const reader = readerOf(request, pages)
  const { heading, text: intro, toStart } = reader.texts.notFound
  const content = actionsOf({ label: toStart, href: `${pages.brand.base}/` })
  return page(reader, { heading, intro, emblem: { icon: 'link' }, content, status: 404 })
}

function publicPage(
  request: HttpRequestWithBody,
  options: StartOptions,
  pages: PageSettings,
): HttpAnswer {
  const reader = readerOf(request, pages)
  const { start, accountHome, loginPage, forgot } = reader.texts
  const emblem = { icon: 'app' } as const
  if (reader.hasLogin) {
    const login = { label: loginPage.button, href: `${pages.brand.base}/login` }
    const app = { ...continueButton(reader), kind: 'second' } as const
    const content = actionsOf(login, ...(pages.brand.next.isApp ? [app] : []))
    return page(reader, { heading: accountHome.heading, intro: start.own, emblem, content })
  }

  const way = wayOn(options, reader, forgot.heading)
  return page(reader, {
    heading: start.heading,
    intro: start.text,
    emblem,
    content: way && actionsOf(way),
  })
}

/** Returns the button to the app, or to the page for a new password. */
function wayOn(options: StartOptions, reader: PageReader, forgot: string): Button | undefined {
  const { accountPagesUrl, mailUrl } = options
  if (reader.brand.next.isApp) return continueButton(reader)
  if (accountPagesUrl !== undefined) {
    const { origin, host } = new URL(accountPagesUrl)
    return { label: `${reader.texts.continueTo} ${host}`, href: origin }
  }
  if (mailUrl === undefined) return undefined
  return { label: forgot, href: `${reader.brand.base}/account/forgot-password`, kind: 'second' }
}

/** Returns the command that creates a user: an administrator, while the service has none. */
export function createUserCommand(program: string, hasAdministrator: boolean): string {
  return `${program} user create NAME --email ADDRESS${hasAdministrator ? '' : ' --role admin'}`
}

function developersPage(
  options: StartOptions,
  {
    hasMetrics,
    hasAdministrator,
    program,
    pages,
  }: Omit<Surroundings, 'hasAdministrator'> & { readonly hasAdministrator: boolean },
): HttpAnswer {
  const { issuer } = options
  const tokenUrl = `${issuer.replace(/\/+$/, '')}/token`
  const opensLogin = pages.hasLogin
    ? markup`<p><a href="${pages.brand.base}/login">Open the login page</a>, or get a token:</p>
`
    : undefined
  const steps = stepsOf([
    {
      title: `Create ${hasAdministrator ? 'a user' : 'the first administrator'}`,
      content: markup`<p>Run this command with the settings of this server, in its folder:</p>
<pre>${createUserCommand(program, hasAdministrator)}</pre>`,
    },
    {
      title: 'Log in',
      content: markup`${opensLogin}<pre>curl ${tokenUrl} -d username=NAME -d password=…</pre>`,
    },
  ])
  const things = partOf({
    id: 'here',
    title: 'What runs here',
    content: rowsOf(thingsOf(options, { pages, hasMetrics }).map(rowFor)),
  })
  return developmentPage(pages.brand, {
    heading: 'Keystile runs',
    intro: markup`The issuer is <code>${issuer}</code>. You see this page in development only.`,
    content: markup`${steps}
${things}`,
  })
}

/** A part of the server that is on or off. */
interface Thing {
  readonly icon: Icon
  readonly name: string
  readonly does: string
  /** Undefined if the part is off, or if a browser cannot open it. */
  readonly href?: string | undefined
  /** Where the part is, or how to switch it on. Undefined if it is on. */
  readonly off?: Html | undefined
}

function rowFor({ icon, name, does, href, off }: Thing): Row {
  const title = href === undefined ? name : markup`<a href="${href}">${name}</a>`
  return { icon, title, hint: markup`${does}${off && markup`<br>${off}`}` }
}

function thingsOf(
  options: StartOptions,
  {
    pages: {
      hasLogin,
      brand: { base },
    },
    hasMetrics,
  }: Pick<Surroundings, 'pages' | 'hasMetrics'>,
): readonly Thing[] {
  const { mailUrl, accountPagesUrl, registration, cookieSession, docs } = options
  const isConsole = mailUrl === 'console:'
  const hasPages = mailUrl !== undefined && accountPagesUrl === undefined
  const forgot = `${base}/account/forgot-password`
  const metadata = `/.well-known/oauth-authorization-server${base}`
  return [
    {
      icon: 'sheet',
      name: `${base}/docs`,
      href: docs === 'on' ? `${base}/docs` : undefined,
      does: 'Try each endpoint in the browser.',
      off: docs === 'on' ? undefined : switchOn('KEYSTILE_DOCS=on'),
    },
    {
      icon: 'lock',
      name: `${base}/login`,
      href: hasLogin ? `${base}/login` : undefined,
      does: 'People log in here.',
      off: hasLogin ? undefined : switchOn('KEYSTILE_LOGIN_PAGES=on'),
    },
    {
      icon: 'passkey',
      name: `${base}/register`,
      href: hasLogin && registration === 'open' ? `${base}/register` : undefined,
      does: 'They create their accounts here.',
      off: registerOff(options, hasLogin),
    },
    {
      icon: 'sheet',
      name: `${base}/account`,
      href: hasLogin ? `${base}/account` : undefined,
      does: 'They see and change their account here.',
      off: hasLogin ? undefined : switchOn('KEYSTILE_LOGIN_PAGES=on'),
    },
    {
      icon: 'lock',
      name: forgot,
      href: hasPages ? forgot : undefined,
      does: 'People ask for a new password here. Links in mails lead to pages like this.',
      off: pagesOff(options),
    },
    {
      icon: 'mail',
      name: `${base}/dev/mail`,
      href: isConsole ? `${base}/dev/mail` : undefined,
      does: 'Mails land here, not in mailboxes.',
      off: isConsole ? undefined : switchOn('KEYSTILE_MAIL_URL=console:'),
    },
    {
      icon: 'passkey',
      name: `POST ${base}/users`,
      does: 'New users register themselves.',
      off: registration === 'open' ? undefined : switchOn('KEYSTILE_REGISTRATION=open'),
    },
    {
      icon: 'computer',
      name: `POST ${base}/session`,
      does: 'Browsers log in with a cookie.',
      off: cookieSession ? undefined : switchOn('KEYSTILE_COOKIE_SESSION=true'),
    },
    {
      icon: 'app',
      name: '/metrics',
      href: hasMetrics ? '/metrics' : undefined,
      does: 'Numbers for Prometheus.',
      off: hasMetrics ? undefined : switchOn('KEYSTILE_METRICS=on'),
    },
    { icon: 'link', name: metadata, href: metadata, does: 'What clients read.' },
  ]
}

function registerOff({ registration }: StartOptions, hasLogin: boolean): Html | undefined {
  if (!hasLogin) return switchOn('KEYSTILE_LOGIN_PAGES=on')
  return registration === 'open' ? undefined : switchOn('KEYSTILE_REGISTRATION=open')
}

function pagesOff({ mailUrl, accountPagesUrl }: StartOptions): Html | undefined {
  if (mailUrl === undefined) return switchOn('KEYSTILE_MAIL_URL=console:')
  if (accountPagesUrl === undefined) return undefined
  return markup`Off. The links lead to <code>${accountPagesUrl}</code>`
}

function switchOn(variable: string): Html {
  return markup`Off. To switch it on: <code>${variable}</code>`
}
