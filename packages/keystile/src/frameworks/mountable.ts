import type { AnswerBody, HttpAnswer, HttpRequestWithBody } from '../http/message.ts'

/** The part of a `createKeystile` object that `mount` needs. */
export interface Mountable {
  /** Answers a request for one of Keystile's own endpoints; `undefined` for any other request. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
}
