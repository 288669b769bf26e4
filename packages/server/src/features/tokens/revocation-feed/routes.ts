// `GET /revocations`, for verifiers in other processes that do not read the database. The answer is
// a stream of server-sent events:
//
// 1. This file authenticates the client and checks its permission.
// 2. `streams.ts` finds the position behind the event in `Last-Event-ID`
//    (decisions/0027-row-ids-instead-of-an-epoch.md), or starts with the first page of the log
//    (features/tokens/events/event-log.ts). The feed only appends to the log, so all answers send
//    the same bytes. Only the heartbeats differ: each says how long ago the request of its answer
//    arrived.
// 3. The answer has a `stream` (`event-stream.ts`) instead of a `body`
//    (packages/keystile/src/http/message.ts). The adapter asks it for the next piece when the
//    client has room, cancels it when the connection ends, and ends it when the HTTP server stops.
// 4. After each read, the feed wakes the streams. If the database has lost events, the process
//    reads all events into a new log. When the new log replaces the old one, all streams end.
// 5. Each second, `streams.ts` sends heartbeats, cuts clients that take no bytes, and ends the
//    streams of clients that were disabled or have lost their secret or permission.

import { OAuthError, ProblemError } from 'keystile/internal'
import { refusalAnswer } from '../../../http/refusal.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { proveClient } from '../clients/client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import type { ClientEvent } from '../clients/feature.ts'
import type { EventFeed } from '../events/events.ts'
import { mayRead, type RevocationStreams } from './streams.ts'

export interface RevocationFeedParts {
  readonly issuer: string
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent>
  readonly limits: Pick<Limits, 'count'>
  readonly feed: Pick<EventFeed, 'revocations'>
  readonly streams: RevocationStreams
}

/** The headers of a stream. The last two stop proxies and middleware from buffering the stream. */
const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * `GET /revocations`: sends all revocations that have not expired, and then each new one, as
 * server-sent events. A verifier in another process uses them to refuse revoked tokens. The client
 * needs the permission `revocations`, because the events name sessions, users and clients.
 *
 * @see WHATWG HTML §9.2
 */
export function revocationsRoute(parts: RevocationFeedParts): OpenRoute {
  const { issuer, feed, streams } = parts
  return {
    method: 'GET',
    path: '/revocations',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Follow the revocations',
      description:
        'Server-sent events (WHATWG HTML §9.2), for verifiers in other processes. For clients ' +
        'with the permission `revocations`, which authenticate with Basic. `Last-Event-ID` ' +
        'continues an earlier stream. Swagger UI cannot show this stream.',
      success: {
        status: 200,
        description: 'The events `reset`, `revocation` and `current`',
        type: 'text/event-stream',
        schema: { type: 'string' },
      },
      refuses: {
        401: 'The client is unknown, or its secret is wrong',
        403: 'The client may not read revocations',
        429: 'Too many refused clients at this address',
        503: 'This server has no news from the database, or too many streams',
      },
    },
    async handle(request) {
      const proven = await proveClient(request, new Map(), parts)
      if (proven.secretHash === undefined)
        throw new OAuthError('invalid_client', 'The client must authenticate with Basic')
      if (!mayRead(proven)) {
        const refusal = new OAuthError(
          'unauthorized_client',
          'This client may not read revocations',
        )
        // Not 400: by a 403, the verifier knows that only the permission is missing.
        return { ...refusalAnswer(refusal, 'oauth', issuer), status: 403 }
      }
      if (feed.revocations.state !== 'current') throw unavailable('The database does not answer', 1)

      const lastEventId = request.headers.get('last-event-id') ?? undefined
      const stream = await streams.open(proven, lastEventId)
      if (stream === 'full')
        throw unavailable('This server can open no more streams of revocations', 10)
      if (stream === 'client full')
        throw unavailable('This client has too many open streams of revocations', 10)
      return { status: 200, headers: streamHeaders, stream }
    },
  }
}

function unavailable(message: string, retryAfterSeconds: number): ProblemError {
  return new ProblemError('temporarily_unavailable', message, { retryAfterSeconds })
}
