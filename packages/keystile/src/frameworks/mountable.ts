import { kindOf, notAwaited } from '../base/options.ts'
import type { AnswerBody, HttpAnswer, HttpRequestWithBody } from '../http/message.ts'

/** What `mount` needs: the object of `createKeystile` or of `protectedResource`. */
export interface Mountable {
  /** Returns the answer to a request for an endpoint of this object; otherwise `undefined`. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
  /** Each call of `mount` calls this function once. */
  onMount?(): void
}

/**
 * Checks the argument of `mount`, and calls the function `onMount` of the argument. The most common
 * mistake is to pass a promise. Without this check, the app would start, but every request would
 * fail.
 *
 * @throws {TypeError} for a value without the function `answer`
 */
export function acceptMountable(mountable: Mountable): void {
  if (typeof mountable?.answer !== 'function') {
    throw new TypeError(
      mountable instanceof Promise
        ? notAwaited('mount')
        : 'the argument of mount() must be the object from createKeystile() or from ' +
            `protectedResource(); it is ${kindOf(mountable)}`,
    )
  }
  mountable.onMount?.()
}
