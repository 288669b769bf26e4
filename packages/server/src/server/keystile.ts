import type { Identity, Logger, Verifier } from 'keystile'
import {
  readWebRequest,
  toResponse,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { PublicUser } from '../features/accounts/users.ts'
import type { Sessions } from './app-sessions.ts'

/**
 * A running Keystile.
 *
 * @typeParam S the declared scopes
 * @typeParam U the user that a guarded route gets
 */
export interface Keystile<S extends string = string, U = PublicUser> {
  readonly issuer: string
  /**
   * Verifies Keystile's own tokens. It refuses a token at once when this process has revoked it,
   * and within a second when another process has.
   */
  readonly verifier: Verifier
  readonly scopes: Readonly<Record<S, string>>
  readonly sessions: Sessions
  /** The logger of the options. A guard of this object tells it why it refuses a request. */
  readonly logger: Logger
  /**
   * Returns the user of an identity, or `undefined` for a deleted or disabled one. Reads the user
   * each time from SQLite and from your own directory. From PostgreSQL, the user may be up to 5 s
   * old.
   */
  user(identity: Identity): Promise<U | undefined>
  /**
   * Answers a request for one of Keystile's endpoints. Returns `undefined` for any other path.
   * `mount` calls this function.
   */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer | undefined>
  /**
   * Answers a web `Request` in the same way, and any other path with 404.
   *
   * @param from the IP address of the sender, for rate limits and the audit record. A `Request`
   *   does not have it.
   */
  fetch(request: Request, from?: { readonly remoteAddress?: string | undefined }): Promise<Response>
  /** Stops timers and threads, and closes connections. A pool of your app stays open. */
  close(): Promise<void>
}

/** Returns `fetch` for an `answer`. */
export function fetchFrom(answer: Keystile['answer']): Keystile['fetch'] {
  return async (request, { remoteAddress } = {}) =>
    toResponse(
      (await answer(readWebRequest(request, remoteAddress))) ?? { status: 404, headers: {} },
    )
}
