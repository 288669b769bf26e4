import type { Logger } from 'keystile/internal'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { describeOutage, lookAtPostgres } from '../storage/postgres-errors.ts'
import { describeSource, isOnServer, type DatabaseSource } from '../storage/source.ts'

/**
 * Returns the options with a logger that says of an outage of the database where the database is,
 * what is wrong and how to fix it. An outage is not a bug, so its stack appears only at `debug`.
 * Other messages stay as they are.
 */
export function describingOutages<
  Options extends { readonly logger: Logger; readonly database: DatabaseSource },
>(options: Options): Options {
  return { ...options, logger: describing(options.logger, options.database) }
}

function describing(logger: Logger, database: DatabaseSource): Logger {
  const place = describeSource(database) // has neither user nor password
  const otherwise = isOnServer(database) ? lookAtPostgres : undefined
  const log =
    (level: 'warn' | 'error') =>
    (fields: object, message: string): void => {
      const outage = findOutage(Reflect.get(fields, 'err'))
      if (!outage) return logger[level](fields, message)

      const err = new DatabaseUnavailableError(`${place}: ${describeOutage(outage, otherwise)}`)
      Object.assign(err, { name: outage.name, stack: undefined })
      logger[level]({ ...fields, err }, message)
      logger.debug(fields, `${message}; with the stack`)
    }
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: log('warn'),
    error: log('error'),
  }
}

/** Finds the outage that an error reports, itself or as its cause. */
function findOutage(error: unknown): DatabaseUnavailableError | undefined {
  if (error instanceof DatabaseUnavailableError) return error
  return error instanceof Error ? findOutage(error.cause) : undefined
}
