import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { listen } from '../listener/server.ts'
import { createUserCommand } from '../features/pages/start-page/start-page.ts'
import { metrics } from '../server/features.ts'
import { wire } from '../server/wire/wire.ts'
import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './command.ts'
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
  // Asks the database before the server listens: if the database fails, the server does not start.
  const open = async () => ({
    hasAdministrator: await running.hasAdministrator(),
    server: await listen(running, {
      ...settings,
      accessLog: settings.accessLog ? logger : undefined,
      program: terminal.program,
      metrics: counts && { counts, binding: settings.metrics },
    }),
  })
  const { hasAdministrator, server } = await open().catch(async (error: unknown) => {
    await running.keystile.close()
    throw error
  })

  logger.info({ issuer: running.keystile.issuer, port: settings.port }, 'listening')
  const howToCreateUsers = textToCreateUsers(terminal.program, hasAdministrator)
  terminal.print(welcome(running.keystile.issuer, settings, howToCreateUsers))

  const signal = await terminal.untilStopped()
  logger.info({ signal }, 'stopping')
  await server.close()
  logger.info({}, 'stopped')
}

/**
 * Returns the text that the server prints when it starts: the URL, the database, the pages, the
 * documentation, and what to do next.
 */
export function welcome(issuer: string, settings: Settings, howToCreateUsers: string): string {
  const { options, hosts, port } = settings
  const [first = ''] = hosts
  const host = hosts.length > 1 ? 'localhost' : first
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const at = `http://${authority}${new URL(issuer).pathname.replace(/\/$/, '')}`
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

/** Returns three commands for a shell, for a server with open registration. */
function tryOut(
  at: string,
  { emailVerification, mailUrl }: Pick<Settings['options'], 'emailVerification' | 'mailUrl'>,
): string {
  const password = 'an engine of her own'
  const user = `{"username": "ada", "email": "ada@example.com", "password": "${password}"}`
  const accessToken = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`

  const where = mailUrl === 'console:' ? `at ${at}/dev/mail` : '(register with an address of yours)'
  const confirm =
    emailVerification === 'required'
      ? `\n  # Now open the link in the mail ${where}, and enter the password.`
      : ''

  return `Register, log in, and see who you are:

  curl -s ${at}/users -H 'content-type: application/json' -d '${user}'${confirm}
  TOKEN=$(curl -s ${at}/token -d username=ada -d 'password=${password}' | ${accessToken})
  curl -s ${at}/users/me -H "authorization: Bearer $TOKEN"`
}

/** Returns the command that creates accounts, for a server with closed registration. */
function textToCreateUsers(program: string, hasAdministrator: boolean): string {
  return `Registration is closed. Create ${hasAdministrator ? 'a user' : 'the first administrator'}:

  ${createUserCommand(program, hasAdministrator)}

Run it with the settings of this server: the same environment, flags and files. It asks for the
password.`
}
