import { createMetrics } from '../features/metrics/metrics.ts'
import { listen } from '../listener/server.ts'
import { metrics } from '../server/features.ts'
import { wire } from '../server/wire.ts'
import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './command.ts'
import { openLog } from './log.ts'
import type { Settings } from './settings.ts'

/** Runs the server until SIGTERM or SIGINT, then waits for running requests. */
export async function serve({ settings: readSettings, terminal, clock }: OwnCall): Promise<void> {
  const settings = await readSettings()

  const logger = openLog(settings)
  const counts = settings.metrics && createMetrics(metrics)
  const running = await wire({ ...settings.options, logger, clock }, counts?.meter)
  const server = await listen(running, {
    ...settings,
    accessLog: settings.accessLog ? logger : undefined,
    metrics: counts && { counts, binding: settings.metrics },
  }).catch(async (error: unknown) => {
    await running.keystile.close()
    throw error
  })

  logger.info({ issuer: running.keystile.issuer, port: settings.port }, 'listening')
  terminal.print(welcome(running.keystile.issuer, settings))

  const signal = await terminal.untilStopped()
  logger.info({ signal }, 'stopping')
  await server.close()
  logger.info({}, 'stopped')
}

/** Returns the text of a start: the places of things, and three commands to paste. */
function welcome(issuer: string, { options, hosts, port }: Settings): string {
  const [host = ''] = hosts
  const shownHost = hosts.length > 1 ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const origin = `http://${shownHost}:${port}`
  const at = `${origin}${new URL(issuer).pathname.replace(/\/$/, '')}`
  const password = 'an engine of her own'
  const user = `{"username": "ada", "email": "ada@example.com", "password": "${password}"}`
  const accessToken = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`

  return `
Keystile listens on ${at}  (issuer ${issuer})
Its data is in ${describeSource(options.database)}
Its interactive documentation is at ${origin}/docs

Register, log in, and see who you are:

  curl -s ${at}/users -H 'content-type: application/json' -d '${user}'
  TOKEN=$(curl -s ${at}/token -d username=ada -d 'password=${password}' | ${accessToken})
  curl -s ${at}/users/me -H "authorization: Bearer $TOKEN"
`
}
