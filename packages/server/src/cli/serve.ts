import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { listen, type ListeningServer, type ListenOptions } from '../listener/server.ts'
import { metrics } from '../server/features.ts'
import { wire, type RunningKeystile } from '../server/wire/wire.ts'
import type { OwnCall } from './call.ts'
import { openLog } from './log.ts'
import { howToCreateUsers, welcome } from './welcome.ts'

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
  terminal.print(welcome(issuer, settings, howToCreateUsers(terminal.program, hasAdministrator)))

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
