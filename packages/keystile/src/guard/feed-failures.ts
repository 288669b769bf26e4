import type { Logger } from '../base/log.ts'

/** Why a revocation feed could not be read, for callers and for the logger. */
export interface FeedFailures {
  /** Why the last connection failed. Undefined after an event `current`. */
  readonly last: Error | undefined
  add(cause: Error): void
  /** Logs the last failure, unless one with the same cause was logged since the last success. */
  report(): void
  /** Called after an event `current`. Logs that the feed can be read again. */
  end(): void
}

export function createFeedFailures({
  url,
  logger,
}: {
  readonly url: string
  readonly logger: Logger
}): FeedFailures {
  const reported = new Set<string>()
  let last: Error | undefined

  function log(level: 'info' | 'error', fields: object, message: string): void {
    try {
      logger[level](fields, message)
    } catch {
      // Nothing here can report that the app's logger fails. The verifier must still connect again.
    }
  }

  return {
    get last() {
      return last
    },
    add(cause) {
      last = new Error(`revocations cannot be read: ${cause.message}`, { cause })
    },
    report() {
      if (!last || reported.has(last.message)) return
      reported.add(last.message)
      log('error', { err: last }, 'revocations cannot be read')
    },
    end() {
      last = undefined
      if (reported.size > 0) log('info', { url }, 'revocations can be read again')
      reported.clear()
    },
  }
}
