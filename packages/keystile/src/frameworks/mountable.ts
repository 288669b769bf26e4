import type { AnswerBody, HttpAnswer, HttpRequestWithBody } from '../http/message.ts'

/** What `mount` needs of the object of `createKeystile`. */
export interface Mountable {
  /** The answer to a request for one of Keystile's own endpoints; `undefined` for any other. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
}
