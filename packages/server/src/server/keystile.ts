import type { Identity, Verifier } from 'keystile'
import {
  readWebRequest,
  toResponse,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { PublicUser } from '../features/accounts/users.ts'
import type { Sessions } from './app-sessions.ts'

/** Keystile, running. `S`: the declared scopes; `U`: the user that a guarded route sees. */
export interface Keystile<S extends string = string, U = PublicUser> {
  readonly issuer: string
  /**
   * Verifies its own tokens, and knows at once what this process revoked and within a second what
   * others did.
   */
  readonly verifier: Verifier
  readonly scopes: Readonly<Record<S, string>>
  readonly sessions: Sessions
  /**
   * The user behind an identity, `undefined` when deleted or disabled. Read anew each time from
   * your own directory and from SQLite, at most 5 s old from PostgreSQL.
   */
  user(identity: Identity): Promise<U | undefined>
  /**
   * The answer to a request for one of our endpoints, `undefined` for any other: what `mount` asks.
   */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer | undefined>
  /**
   * The same for a web `Request`; a path that is not ours is answered with 404.
   *
   * @param from the IP address of who sent it, for the audit record: a `Request` does not say
   */
  fetch(request: Request, from?: { readonly remoteAddress?: string | undefined }): Promise<Response>
  /** Ends timers, threads and connections. A pool that was passed in stays open. */
  close(): Promise<void>
}

/** Answers web requests as `answer` does its own, and any other path with 404. */
export function fetchFrom(answer: Keystile['answer']): Keystile['fetch'] {
  return async (request, { remoteAddress } = {}) =>
    toResponse(
      (await answer(readWebRequest(request, remoteAddress))) ?? { status: 404, headers: {} },
    )
}
