import { ProblemError } from 'keystile/internal'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { queryOf, wrongQuery } from '../../../http/request.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import { byCaller, type CallerIdentity } from '../../operations/audit/by.ts'
import type { Session, SessionEnds } from './session-ends.ts'

export interface SessionCaller {
  readonly identity: CallerIdentity
}

/**
 * Returns the routes on which users list and end their own sessions. The routes work for Keystile
 * accounts and for an app's own users. They accept only tokens of the client `first-party`, because
 * a different client must not log its user out of the app. Each route acts on the subject of the
 * token. A request cannot name a different subject.
 */
export function sessionRoutes(ends: SessionEnds): readonly GuardedRoute<SessionCaller>[] {
  return [listRoute(ends), endAllRoute(ends), endOneRoute(ends)]
}

const common = {
  below: 'issuer',
  refusals: 'problem',
  guard: { scopes: [] },
  isFirstPartyOnly: true,
} as const

const sessionSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    client_id: { type: 'string' },
    device: { type: ['string', 'null'], description: 'The User-Agent of the login' },
    amr: {
      type: ['array', 'null'],
      items: { type: 'string' },
      description: 'How the person logged in (RFC 8176)',
    },
    created_at: { type: 'string', format: 'date-time' },
    last_used_at: { type: 'string', format: 'date-time' },
    current: {
      type: 'boolean',
      description: 'Whether this is the session of the request’s token',
    },
  },
  required: ['id', 'client_id', 'device', 'amr', 'created_at', 'last_used_at', 'current'],
}

function listRoute(ends: SessionEnds): GuardedRoute<SessionCaller> {
  return {
    ...common,
    method: 'GET',
    path: '/users/me/sessions',
    doc: {
      tag: 'Own account',
      summary: 'List your own sessions',
      success: {
        status: 200,
        description: 'The active sessions, most recently used first',
        schema: {
          type: 'object',
          properties: {
            sessions: {
              type: 'array',
              items: sessionSchema,
            },
          },
          required: ['sessions'],
        },
      },
    },
    async handle(_request, { identity }) {
      const list = await ends.list(identity.subject)
      return jsonAnswer(200, {
        sessions: list.map((session) => wireSession(session, identity.sessionId)),
      })
    },
  }
}

function endAllRoute(ends: SessionEnds): GuardedRoute<SessionCaller> {
  return {
    ...common,
    method: 'DELETE',
    path: '/users/me/sessions',
    doc: {
      tag: 'Own account',
      summary: 'Log out everywhere',
      description:
        'Ends all sessions, attempts to log in and unused codes, and forgets remembered devices.',
      query: {
        except: {
          type: 'string',
          enum: ['current'],
          description: 'With `current`, the session of this request stays',
        },
      },
      success: { status: 204, description: 'Ended' },
      refuses: { 422: '`except` is not `current`' },
    },
    async handle(request, { identity }) {
      const except = queryOf(request).get('except')
      if (except !== null && except !== 'current')
        throw wrongQuery('except', 'Input should be current')
      await ends.endAll(identity.subject, {
        by: byCaller(request, identity),
        except: except === null ? undefined : identity.sessionId,
      })
      return emptyAnswer
    },
  }
}

function endOneRoute(ends: SessionEnds): GuardedRoute<SessionCaller> {
  return {
    ...common,
    method: 'DELETE',
    path: '/users/me/sessions/{id}',
    doc: {
      tag: 'Own account',
      summary: 'End one session',
      success: { status: 204, description: 'Ended' },
      refuses: { 404: 'This user has no active session with this id' },
    },
    async handle(request, { identity }) {
      const id = request.params['id']
      const by = byCaller(request, identity)

      // Another user's session gets the same answer as an unknown id, so callers cannot probe ids.
      const wasActive = id !== undefined && (await ends.end(id, by, identity.subject))
      if (!wasActive) throw new ProblemError('not_found', 'There is no such session')

      return emptyAnswer
    },
  }
}

/** Returns a session as JSON. `current` is the session id in the token of the request. */
function wireSession(
  { id, clientId, device, amr, createdAt, lastUsedAt }: Session,
  current: string | undefined,
): object {
  return {
    id,
    client_id: clientId,
    device,
    amr,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt.toISOString(),
    current: id === current,
  }
}
