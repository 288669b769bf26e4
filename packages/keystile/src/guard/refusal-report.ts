// Tells the app, but not the caller, why a guard or a verifier refused a request or a token.
import type { TokenError } from '../base/errors.ts'
import { isLogger, errorLogger, type Logger } from '../base/log.ts'
import { kindOf } from '../base/options.ts'
import type { TokenErrorCode, TokenReason } from '../base/token-reasons.ts'

/** A refusal: the argument of `onRefused`. It contains no part of the token. */
export interface RefusedRequest {
  readonly code: TokenErrorCode
  /** Which check failed. docs/reference/refused.md has the cause and the fix of each reason. */
  readonly reason: TokenReason
  /** The method of the request. `undefined` for `verifier.verify`, which sees only a token. */
  readonly method: string | undefined
  /**
   * The pattern of the route, such as `/items/:id`. `undefined` where there is none: in node:http
   * and web handlers, in `guard.check`, and for a guard of a whole Express router.
   */
  readonly route: string | undefined
}

export interface RefusalOptions {
  /**
   * Called with each refusal, before the answer is sent. It must be synchronous, because the guard
   * does not wait for a promise. If `onRefused` throws, the guard logs the error and sends the same
   * answer.
   */
  onRefused?(refused: RefusedRequest): void
  /**
   * The logger gets each refusal at the level debug, and each error of `onRefused` at the level
   * error. Without a logger, only errors are printed, to standard error.
   */
  readonly logger?: Logger
}

/** Reports a refusal. Throws only if the app's logger throws. */
export type ReportRefusal = (error: TokenError, method?: string, route?: string) => void

/**
 * Creates the function that reports refusals to the app.
 *
 * @param taker the name of the function that takes the options, for error messages
 * @throws {TypeError} if an option is not valid
 */
export function createRefusalReport(taker: string, options: RefusalOptions): ReportRefusal {
  const { logger = errorLogger } = options
  if (options.onRefused !== undefined && typeof options.onRefused !== 'function') {
    throw new TypeError(
      `the option \`onRefused\` of ${taker} must be a function; it is ${kindOf(options.onRefused)}`,
    )
  }
  if (!isLogger(logger)) {
    throw new TypeError(
      `the option \`logger\` of ${taker} must be an object with the methods debug, info, warn ` +
        `and error; it is ${kindOf(logger)}`,
    )
  }

  const onRefused = options.onRefused?.bind(options)
  const reportError = (err: unknown): void => logger.error({ err }, 'onRefused failed')

  return ({ code, reason, detail }, method, route) => {
    logger.debug({ code, reason, ...(detail && { detail }), method, route }, 'refused')
    try {
      const result: unknown = onRefused?.({ code, reason, method, route })
      // `onRefused` is an async function. Without this line, its error would end the process.
      if (result instanceof Promise) result.catch(reportError)
    } catch (error) {
      reportError(error)
    }
  }
}
