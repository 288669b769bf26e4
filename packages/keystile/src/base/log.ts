/**
 * A logger whose methods take the fields first and the message second, like the methods of pino.
 * `console` takes the message first, so do not pass `console` itself.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Discards all messages. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Prints errors to standard error, and discards all other messages. */
export const errorLogger: Logger = {
  ...silentLogger,
  error: (fields, message) => console.error(`keystile: ${message}`, fields),
}

export function isLogger(value: unknown): value is Logger {
  if (typeof value !== 'object' || value === null) return false
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof Reflect.get(value, name) === 'function',
  )
}
