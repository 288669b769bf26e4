import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { createUserCommand } from '../features/pages/start-page/developers-page.ts'
import { listen, type ListeningServer, type ListenOptions } from '../listener/server.ts'
import { metrics } from '../server/features.ts'
import { wire, type RunningKeystile } from '../server/wire/wire.ts'
import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './call.ts'
import { openLog } from './log.ts'
import type { Settings } from './settings.ts'

/** Runs the server until SIGTERM or SIGINT, then waits for running requests. */
export async function serve({ settings: readSettings, terminal, clock }: OwnCall): Promise<void> {
  const settings = await readSettings()
  const logger = openLog(settings)
  if (settings.ignoredVariables.length > 0)
    logger.debug(
      { variables: settings.ignoredVariables },
      'ignored environment variables that Kubernetes sets for a Service',
    )

  const counts = settings.metrics && createMetrics(metrics)
  const running = await wire({ ...settings.options, logger, clock }, counts?.meter)
  const { hasAdministrator, server } = await open(running, {
    ...settings,
    accessLog: settings.accessLog ? logger : undefined,
    program: terminal.program,
    metrics: counts && { counts, binding: settings.metrics },
  })

  const { issuer } = running.keystile
  logger.info({ issuer, port: settings.port }, 'listening')
  const howToCreateUsers = textToCreateUsers(terminal.program, hasAdministrator)
  terminal.print(welcome(issuer, settings, howToCreateUsers))

  const signal = await terminal.untilStopped()
  logger.info({ signal }, 'stopping')
  await server.close()
  logger.info({}, 'stopped')
}

/**
 * Starts to listen. Asks the database first: if it fails, the server does not start. If anything
 * fails, closes Keystile.
 */
async function open(
  running: RunningKeystile,
  options: ListenOptions,
): Promise<{ readonly hasAdministrator: boolean; readonly server: ListeningServer }> {
  try {
    const hasAdministrator = await running.hasAdministrator()
    return { hasAdministrator, server: await listen(running, options) }
  } catch (error) {
    await running.keystile.close()
    throw error
  }
}

/**
 * Returns the text that the server prints when it starts: the URL, the database, the pages, the
 * documentation, and what to do next.
 */
export function welcome(issuer: string, settings: Settings, howToCreateUsers: string): string {
  const { options, hosts, port } = settings
  const at = `http://${hostInUrl(hosts)}:${port}${new URL(issuer).pathname.replace(/\/$/, '')}`
  const docs = options.docs === 'on' ? `\nIts interactive documentation is at ${at}/docs` : ''
  // Not below the listening URL: behind a proxy, browsers accept the cookies and forms of the pages
  // only at the issuer.
  const root = issuer.replace(/\/$/, '')
  const pages = options.loginPages === 'on' ? `\nIts pages are at ${root}/` : ''
  const mails = options.mailUrl === 'console:' ? `\nIts mails are at ${at}/dev/mail` : ''
  const next = options.registration === 'open' ? tryOut(at, options) : howToCreateUsers

  return `
Keystile listens on ${at}  (issuer ${issuer})
Its data is in ${describeSource(options.database)}${pages}${docs}${mails}

${next}
`
}

/** Returns the host that a URL names. With several, the server listens on `localhost`. */
function hostInUrl(hosts: Settings['hosts']): string {
  if (hosts.length > 1) return 'localhost'

  const [first = ''] = hosts
  return first.includes(':') ? `[${first}]` : first
}

/** Returns three commands for a shell, for a server with open registration. */
function tryOut(
  at: string,
  { emailVerification, mailUrl }: Pick<Settings['options'], 'emailVerification' | 'mailUrl'>,
): string {
  const password = 'an engine of her own'
  const user = `{"username": "ada", "email": "ada@example.com", "password": "${password}"}`
  const extractToken = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`

  const where = mailUrl === 'console:' ? `at ${at}/dev/mail` : '(register with an address of yours)'
  const confirm =
    emailVerification === 'required'
      ? `\n  # Now open the link in the mail ${where}, and enter the password.`
      : ''

  return `Register, log in, and see who you are:

  curl -s ${at}/users -H 'content-type: application/json' -d '${user}'${confirm}
  TOKEN=$(curl -s ${at}/token -d username=ada -d 'password=${password}' | ${extractToken})
  curl -s ${at}/users/me -H "authorization: Bearer $TOKEN"`
}

/** Returns the command that creates accounts, for a server with closed registration. */
function textToCreateUsers(program: string, hasAdministrator: boolean): string {
  return `Registration is closed. Create ${hasAdministrator ? 'a user' : 'the first administrator'}:

  ${createUserCommand(program, hasAdministrator)}

Run it with the settings of this server: the same environment, flags and files. It asks for the
password.`
}
