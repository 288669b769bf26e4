import type { Identity, Logger, Verifier } from 'keystile'
import {
  readWebRequest,
  toResponse,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { AppPasswords } from '../features/credentials/password-policy/app-passwords.ts'
import type { AppUsers } from '../features/users/accounts/app-users.ts'
import type { PublicUser } from '../features/users/accounts/user.ts'
import type { Sessions } from './app-sessions.ts'

/**
 * A running Keystile.
 *
 * @typeParam S the declared scopes
 * @typeParam U the user that a guarded route gets
 */
export interface Keystile<S extends string = string, U = PublicUser> extends AppPasswords {
  readonly issuer: string
  /**
   * Verifies the tokens that Keystile issues. If this process revokes a token, the verifier refuses
   * the token immediately. If a different process revokes the token, the verifier refuses it within
   * a second.
   */
  readonly verifier: Verifier
  readonly scopes: Readonly<Record<S, string>>
  readonly sessions: Sessions
  /**
   * The logger from the options of `createKeystile()`. A guard that is created from this object
   * uses the logger too: it logs why it refuses a request.
   */
  readonly logger: Logger
  /**
   * Keystile's own accounts. Undefined if the option `users` is given, because the app then stores
   * the users.
   */
  readonly users: [U] extends [PublicUser] ? AppUsers<S, U> : unknown
  /**
   * Returns the user to whom an identity belongs, or `undefined` if the user is deleted or
   * disabled. Keystile keeps its own users in memory: a change by this process shows at once, and a
   * change by a different process within a second. All requests get the same object, so it is
   * frozen. If the app stores the users, each call reads the user, unless `users.cached` is true.
   */
  user(identity: Identity): Promise<U | undefined>
  /**
   * Tells all processes that a user of the app has changed. Call it after each change of a user if
   * the option `users` has `cached: true`. When the promise resolves, guards of this process read
   * the user again; guards of other processes do so within a second.
   *
   * @throws {TypeError} if the subject is not a string
   */
  userChanged(subject: string): Promise<void>
  /**
   * Removes all second factors of a user who has lost them, ends all sessions of the user, and
   * clears the rate limits of the user's logins and codes. Make sure first that the person is the
   * owner: a thief who knows the password then needs no factor.
   */
  resetFactors(subject: string): Promise<void>
  /**
   * Erases what Keystile stores about a user of the app, and ends the user's sessions. Call it when
   * your app deletes a user. The audit record stays until its clean-up.
   *
   * @throws {TypeError} if Keystile stores the users: call `users.delete()`
   */
  forgetUser(subject: string): Promise<void>
  /**
   * Answers a request for one of Keystile's endpoints. Returns `undefined` for any other path.
   * `mount` calls this function.
   */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer<AnswerBody> | undefined>
  /**
   * Answers a web `Request` as `answer()` does. Returns 404 if the path is not one of Keystile's
   * endpoints.
   *
   * @param from the IP address of the sender, for rate limits and the audit record. A `Request`
   *   does not contain this address.
   */
  fetch(request: Request, from?: { readonly remoteAddress?: string | undefined }): Promise<Response>
  /**
   * Stops timers and threads, and closes connections. Does NOT close a pool that your app passed as
   * `database`.
   */
  close(): Promise<void>
}

/** Makes `Keystile.fetch` from `Keystile.answer`. */
export function fetchFrom(answer: Keystile['answer']): Keystile['fetch'] {
  return async (request, { remoteAddress } = {}) =>
    toResponse(
      (await answer(readWebRequest(request, remoteAddress))) ?? { status: 404, headers: {} },
    )
}
