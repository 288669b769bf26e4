// The start page of a server on the machine of a developer: what runs here, and how to begin.
import type { HttpAnswer } from 'keystile/internal'
import { developmentPage } from '../../../pages/development.ts'
import { markup } from '../../../pages/html.ts'
import { partOf, rowsOf, stepsOf, type Row } from '../../../pages/parts.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { serverParts, type ServerPart } from './server-parts.ts'
import type { StartOptions } from './start-options.ts'

/** What the page depends on besides the settings. */
interface RunningServer {
  readonly pages: PageSettings
  readonly hasMetrics: boolean
  readonly hasAdministrator: boolean
  readonly program: string
}

export function developersPage(
  options: StartOptions,
  { pages, hasMetrics, hasAdministrator, program }: RunningServer,
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
  const parts = partOf({
    id: 'here',
    title: 'What runs here',
    content: rowsOf(serverParts(options, { pages, hasMetrics }).map(rowFor)),
  })
  return developmentPage(pages.brand, {
    heading: 'Keystile runs',
    intro: markup`The issuer is <code>${issuer}</code>. You see this page in development only.`,
    content: markup`${steps}
${parts}`,
  })
}

function rowFor({ icon, name, does, off, isEndpoint }: ServerPart): Row {
  const opens = off === undefined && !isEndpoint
  const title = opens ? markup`<a href="${name}">${name}</a>` : name
  return { icon, title, hint: markup`${does}${off && markup`<br>${off}`}` }
}

/** Returns the command that creates a user: an administrator, while the service has none. */
export function createUserCommand(program: string, hasAdministrator: boolean): string {
  return `${program} user create NAME --email ADDRESS${hasAdministrator ? '' : ' --role admin'}`
}
