import { silentLogger, type Logger } from 'keystile/internal'

/**
 * Writes warnings and errors to standard error, each as one line, and discards the other messages.
 */
export const consoleLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => console.warn(lineOf(fields, message)),
  error: (fields, message) => console.error(lineOf(fields, message)),
}

/**
 * Returns a log message as one line. JSON escapes line breaks, so a field of the message cannot
 * forge a second line.
 */
function lineOf(fields: object, message: string): string {
  const shown = JSON.stringify(fields, (name, value: unknown) =>
    name === 'err' ? describeError(value) : value,
  )
  return shown === '{}' ? `keystile: ${message}` : `keystile: ${message} ${shown}`
}

/**
 * Returns the members of an error that a log may contain. Leaves out all other members, because the
 * errors of database drivers contain the values of the query, such as password hashes.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack, cause } = error
  const code: unknown = Reflect.get(error, 'code')
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' && { code }),
    ...(cause instanceof Error && { cause: describeError(cause) }),
  }
}
