import { kindOf } from '../base/options.ts'
import type { AnswerBody, HttpAnswer, HttpRequestWithBody } from '../http/message.ts'

/**
 * Refuses a value without the function `answer`, most often a promise. Without this check, the app
 * would start, and then every request would fail.
 *
 * @throws {TypeError}
 */
export function requireMountable(keystile: Mountable): void {
  if (typeof keystile?.answer === 'function') return
  throw new TypeError(
    keystile instanceof Promise
      ? 'mount takes what createKeystile resolves to; it got the promise. ' +
          'Fix: mount(await createKeystile(…))'
      : 'mount takes the object of createKeystile, which has a function `answer`; ' +
          `it got ${kindOf(keystile)}`,
  )
}

/** The part of a `createKeystile` object that `mount` needs. */
export interface Mountable {
  /** Answers a request for one of Keystile's own endpoints; `undefined` for any other request. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
}
