import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'keystile/internal'
import { pino } from 'pino'
import { ConfigurationError } from '../base/configuration-error.ts'
import { explainFault } from '../base/file-fault.ts'
import { describeError } from '../feature/console-logger.ts'
import type { LogLevel } from '../listener/feature.ts'

interface LogOptions {
  /** The path of the log file. Without a file, the log goes to standard error. */
  readonly logFile: string | undefined
  readonly logLevel: LogLevel
}

/**
 * Opens the log of the stand-alone server. Each message is one line of JSON, which is written
 * immediately, so that a crash loses no message. Only the owner can read a new log file, because
 * the log names users. An existing file keeps its permissions.
 *
 * @throws {ConfigurationError} if the file cannot be opened
 */
export function openLog({ logFile, logLevel }: LogOptions): Logger {
  return pino(
    {
      base: null,
      level: logLevel,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
    },
    openDestination(logFile),
  )
}

function openDestination(logFile: string | undefined): ReturnType<typeof pino.destination> {
  try {
    if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
    return pino.destination({ dest: logFile ?? 2, sync: true, mode: 0o600 })
  } catch (error) {
    const what = `the log file ${logFile} (--log-file, KEYSTILE_LOG_FILE) cannot be opened`
    throw new ConfigurationError(explainFault(what, error), { cause: error })
  }
}
