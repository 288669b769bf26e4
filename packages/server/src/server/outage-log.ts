import type { Logger } from 'keystile/internal'
import { minuteMilliseconds } from '../feature/limit-rate.ts'
import { DatabaseUnavailableError, UnknownOutcomeError } from '../storage/database.ts'
import { describeOutage, lookAtPostgres } from '../storage/postgres-advice.ts'
import { describeSource, isOnServer, type DatabaseSource } from '../storage/source.ts'

/**
 * Returns the options with a logger that says of an outage of the database where the database is,
 * what is wrong and how to fix it. An outage is not a bug, so its stack appears only at `debug`.
 * Other messages stay as they are.
 */
export function withDescribedOutages<
  Options extends { readonly logger: Logger; readonly database: DatabaseSource },
>(options: Options): Options {
  return { ...options, logger: createOutageLogger(options.logger, options.database) }
}

/** The shortest time between two equal lines: during an outage, each request causes one. */
const repetitionMilliseconds = minuteMilliseconds

/**
 * Returns an error whose message says where the database is, what is wrong and how to fix it. The
 * message has neither the user nor the password of the database.
 */
export function outageForOperator(
  outage: DatabaseUnavailableError,
  database: DatabaseSource,
): DatabaseUnavailableError {
  const otherwise = isOnServer(database) ? lookAtPostgres : undefined
  return new DatabaseUnavailableError(
    `${describeSource(database)}: ${describeOutage(outage, otherwise)}`,
  )
}

function createOutageLogger(logger: Logger, database: DatabaseSource): Logger {
  let last = { text: '', at: -Infinity }
  let repetitions = 0

  /** Whether a line only repeats the last one. After a commit of unknown outcome, each counts. */
  function isRepetition(outage: DatabaseUnavailableError, text: string): boolean {
    const isSoon = performance.now() - last.at < repetitionMilliseconds
    return isSoon && text === last.text && !(outage instanceof UnknownOutcomeError)
  }

  function log(level: 'warn' | 'error', fields: object, message: string): void {
    const outage = findOutage(Reflect.get(fields, 'err'))
    if (!outage) return logger[level](fields, message)

    logger.debug(fields, `${message}; with the stack`)
    const err = outageForOperator(outage, database)
    // The name says which kind of outage it is. The stack would be that of this file.
    Object.assign(err, { name: outage.name, stack: undefined })
    const text = `${message}: ${err.message}`
    if (isRepetition(outage, text)) {
      repetitions += 1
      return
    }

    logger[level]({ ...fields, err, ...(repetitions > 0 && { repetitions }) }, message)
    last = { text, at: performance.now() }
    repetitions = 0
  }

  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => log('warn', fields, message),
    error: (fields, message) => log('error', fields, message),
  }
}

/** Finds the outage that an error reports, itself or as its cause. */
function findOutage(error: unknown): DatabaseUnavailableError | undefined {
  if (error instanceof DatabaseUnavailableError) return error
  return error instanceof Error ? findOutage(error.cause) : undefined
}
