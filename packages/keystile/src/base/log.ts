/** A log with pino's signature. To use `console`, swap the two arguments. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A log that discards all messages. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
