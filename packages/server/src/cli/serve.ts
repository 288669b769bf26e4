import { createMetrics } from '../features/metrics/metrics.ts'
import { listen } from '../listener/server.ts'
import { metrics } from '../server/features.ts'
import { wire } from '../server/wire.ts'
import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './command.ts'
import { openLog } from './log.ts'
import type { Settings } from './settings.ts'

/** Runs until a signal, then lets requests end. */
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

/** Where things are, and three commands that work when they are pasted. */
function welcome(issuer: string, { options, hosts, port }: Settings): string {
  const [host = ''] = hosts
  const shownHost = hosts.length > 1 ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const origin = `http://${shownHost}:${port}`
  const at = `${origin}${new URL(issuer).pathname.replace(/\/$/, '')}`
  const person = `{"username": "ada", "email": "ada@example.com", "password": "an engine of her own"}`
  return `
Keystile listens on ${at}  (issuer ${issuer})
Its data is in ${describeSource(options.database)}
Its documentation, to be tried out, is at ${origin}/docs

Register, log in, and see who you are:

  curl -s ${at}/users -H 'content-type: application/json' -d '${person}'
  TOKEN=$(curl -s ${at}/token -d username=ada -d 'password=an engine of her own' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s ${at}/users/me -H "authorization: Bearer $TOKEN"
`
}
