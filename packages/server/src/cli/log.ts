import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'keystile/internal'
import type { LogLevel } from '../listener/feature.ts'

interface LogOptions {
  /** A file; standard error without it. */
  readonly logFile: string | undefined
  readonly logLevel: LogLevel
}

/**
 * Opens the log of the stand-alone server: a line of JSON a message, written before the next is
 * done. A file is made readable by its owner alone, since lines name people; one that is there
 * keeps its mode, which the operator chose.
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

/**
 * Where it happened and why, and no other member of an error: those of a driver hold what was to be
 * stored.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack, cause, code } = error as Error & { readonly code?: unknown }
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' && { code }),
    ...(cause instanceof Error && { cause: describeError(cause) }),
  }
}
