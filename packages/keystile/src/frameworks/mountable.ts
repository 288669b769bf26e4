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
      ? 'the argument of mount() must be the object from createKeystile(); it is a promise. ' +
          'Fix: mount(await createKeystile(…))'
      : 'the argument of mount() must be the object from createKeystile(), which has a function ' +
          `\`answer\`; it is ${kindOf(keystile)}`,
  )
}

/** The part of a `createKeystile` object that `mount` needs. */
export interface Mountable {
  /** Answers a request for one of Keystile's own endpoints; `undefined` for any other request. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
}
