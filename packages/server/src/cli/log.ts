import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'keystile/internal'
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
 */
export function openLog({ logFile, logLevel }: LogOptions): Logger {
  if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  return pino(
    {
      base: null,
      level: logLevel,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
    },
    pino.destination({ dest: logFile ?? 2, sync: true, mode: 0o600 }),
  )
}
