// The page at the root of the stand-alone server, and the page for unknown paths.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { isOnThisMachine } from '../../../base/this-machine.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { pageAnswer } from '../../../pages/layout.ts'
import { nextUrlOf, page, readerOf, type PageSettings } from '../account-pages/page-parts.ts'
import { unavailablePage } from '../account-pages/unavailable.ts'

export interface StartOptions extends PageSettings {
  readonly mailUrl?: string | undefined
  readonly accountPagesUrl?: string | undefined
  readonly registration: 'open' | 'closed'
  readonly cookieSession: boolean
  readonly docs: 'on' | 'off'
}

/** What the start page in development shows besides the settings. */
export interface Surroundings {
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
  if (!isOnThisMachine(options.issuer)) return publicPage(request, options)

  const hasAdministrator = await surroundings.hasAdministrator().catch(() => undefined)
  return hasAdministrator === undefined
    ? unavailablePage(request, options)
    : developmentPage(options, { ...surroundings, hasAdministrator })
}

/** Returns the page for a path that has no page. */
export function notFoundPage(request: HttpRequestWithBody, options: StartOptions): HttpAnswer {
  const reader = readerOf(request, options)
  const { notFound } = reader.texts
  const content = markup`<p>${notFound.text}</p>
<p><a href="${basePathOf(options)}/">${notFound.toStart}</a></p>`
  return page(reader, notFound.heading, content, { status: 404 })
}

/** Returns the path of the issuer, without a slash at the end. */
export function basePathOf({ issuer }: Pick<StartOptions, 'issuer'>): string {
  return new URL(issuer).pathname.replace(/\/+$/, '')
}

function publicPage(request: HttpRequestWithBody, options: StartOptions): HttpAnswer {
  const reader = readerOf(request, options)
  const { start } = reader.texts
  return page(
    reader,
    start.heading,
    markup`<p>${start.text}</p>
${linkOf(options, reader.texts.forgot.heading)}`,
  )
}

/** Returns a link to the app, or to the page for a new password. */
function linkOf(options: StartOptions, forgot: string): Html | undefined {
  const { accountPagesUrl, mailUrl, corsOrigins = [] } = options
  if (accountPagesUrl !== undefined || corsOrigins.length === 1) {
    const { origin, host } = accountPagesUrl ? new URL(accountPagesUrl) : nextUrlOf(options)
    return markup`<p><a href="${origin}">${host}</a></p>`
  }
  if (mailUrl === undefined) return undefined
  return markup`<p><a href="${basePathOf(options)}/account/forgot-password">${forgot}</a></p>`
}

/** Returns the command that creates a user: an administrator, while the service has none. */
export function createUserCommand(program: string, hasAdministrator: boolean): string {
  return `${program} user create NAME --email ADDRESS${hasAdministrator ? '' : ' --role admin'}`
}

function developmentPage(
  options: StartOptions,
  {
    hasMetrics,
    hasAdministrator,
    program,
  }: Omit<Surroundings, 'hasAdministrator'> & { readonly hasAdministrator: boolean },
): HttpAnswer {
  const { issuer } = options
  const content = markup`<p>The issuer is <code>${issuer}</code>. You see this page in development
only.</p>
<section>
<h2>Create ${hasAdministrator ? 'a user' : 'the first administrator'}</h2>
<p>Run this command with the settings of this server, in its folder:</p>
<pre>${createUserCommand(program, hasAdministrator)}</pre>
</section>
<section>
<h2>Log in</h2>
<pre>curl ${issuer.replace(/\/+$/, '')}/token -d username=NAME -d password=…</pre>
</section>
<section>
<h2>What runs here</h2>
<dl>
${joined(thingsOf(options, hasMetrics).map(itemOf))}
</dl>
</section>`
  return pageAnswer({
    language: 'en',
    heading: 'Keystile runs',
    service: new URL(issuer).host,
    content,
    isWide: true,
  })
}

/** A part of the server that is on or off. */
interface Thing {
  readonly name: string
  readonly does: string
  /** Undefined if the part is off, or if a browser cannot open it. */
  readonly href?: string | undefined
  /** Where the part is, or how to switch it on. Undefined if it is on. */
  readonly off?: Html | undefined
}

function itemOf({ name, does, href, off }: Thing): Html {
  const shown = href === undefined ? markup`${name}` : markup`<a href="${href}">${name}</a>`
  return markup`<dt>${shown}</dt>
<dd>${does}${off && markup`<br><span class="hint">${off}</span>`}</dd>
`
}

function thingsOf(options: StartOptions, hasMetrics: boolean): readonly Thing[] {
  const { mailUrl, accountPagesUrl, registration, cookieSession, docs } = options
  const base = basePathOf(options)
  const isConsole = mailUrl === 'console:'
  const hasPages = mailUrl !== undefined && accountPagesUrl === undefined
  const forgot = `${base}/account/forgot-password`
  const metadata = `/.well-known/oauth-authorization-server${base}`
  return [
    {
      name: `${base}/docs`,
      href: docs === 'on' ? `${base}/docs` : undefined,
      does: 'Try each endpoint in the browser.',
      off: docs === 'on' ? undefined : switchOn('KEYSTILE_DOCS=on'),
    },
    {
      name: forgot,
      href: hasPages ? forgot : undefined,
      does:
        'The account pages: users ask for a new password here. ' +
        'Links in mails lead to pages like this.',
      off: pagesOff(options),
    },
    {
      name: `${base}/dev/mail`,
      href: isConsole ? `${base}/dev/mail` : undefined,
      does: 'Mails land here, not in mailboxes.',
      off: isConsole ? undefined : switchOn('KEYSTILE_MAIL_URL=console:'),
    },
    {
      name: `POST ${base}/users`,
      does: 'New users register themselves.',
      off: registration === 'open' ? undefined : switchOn('KEYSTILE_REGISTRATION=open'),
    },
    {
      name: `POST ${base}/session`,
      does: 'Browsers log in with a cookie.',
      off: cookieSession ? undefined : switchOn('KEYSTILE_COOKIE_SESSION=true'),
    },
    {
      name: '/metrics',
      href: hasMetrics ? '/metrics' : undefined,
      does: 'Numbers for Prometheus.',
      off: hasMetrics ? undefined : switchOn('KEYSTILE_METRICS=on'),
    },
    { name: metadata, href: metadata, does: 'What clients read.' },
  ]
}

function pagesOff({ mailUrl, accountPagesUrl }: StartOptions): Html | undefined {
  if (mailUrl === undefined) return switchOn('KEYSTILE_MAIL_URL=console:')
  if (accountPagesUrl === undefined) return undefined
  return markup`Off. The links lead to <code>${accountPagesUrl}</code>`
}

function switchOn(variable: string): Html {
  return markup`Off. To switch it on: <code>${variable}</code>`
}
