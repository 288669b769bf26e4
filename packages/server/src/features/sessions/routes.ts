import { ProblemError } from 'keystile/internal'
import { emptyAnswer, jsonAnswer, type GuardedRoute } from '../../http/route.ts'
import { byCaller, type CallerIdentity } from '../audit/audit.ts'
import type { Session, SessionEnds } from './session-ends.ts'

const sessionSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    client_id: { type: 'string' },
    device: { type: ['string', 'null'], description: 'The User-Agent of the login' },
    created_at: { type: 'string', format: 'date-time' },
    last_used_at: { type: 'string', format: 'date-time' },
    current: { type: 'boolean', description: 'Whether the request was made with a token of it' },
  },
  required: ['id', 'client_id', 'device', 'created_at', 'last_used_at', 'current'],
}

const listSchema = {
  type: 'object',
  properties: { sessions: { type: 'array', items: sessionSchema } },
  required: ['sessions'],
}

/** Who has called, as these routes need to know them. */
export interface SessionCaller {
  readonly identity: CallerIdentity
}

/** A person's own sessions, wherever the person is kept. */
export function sessionRoutes(ends: SessionEnds): readonly GuardedRoute<SessionCaller>[] {
  const common = {
    below: 'issuer',
    refusals: 'problem',
    guard: { scopes: [] },
    isFirstPartyOnly: true,
  } as const
  return [
    {
      ...common,
      method: 'GET',
      path: '/users/me/sessions',
      doc: {
        tag: 'Own account',
        summary: 'Where one is logged in',
        success: {
          status: 200,
          description: 'The sessions that are not over, the last used first',
          schema: listSchema,
        },
      },
      async handle(_request, { identity }) {
        const list = await ends.list(identity.subject)
        return jsonAnswer(200, {
          sessions: list.map((session) => wireSession(session, identity.sessionId)),
        })
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/users/me/sessions',
      doc: {
        tag: 'Own account',
        summary: 'Log out everywhere',
        description: 'Ends all sessions, that of the request among them.',
        success: { status: 204, description: 'Ended' },
      },
      async handle(request, { identity }) {
        await ends.endAll(identity.subject, byCaller(request, identity))
        return emptyAnswer
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/users/me/sessions/{id}',
      doc: {
        tag: 'Own account',
        summary: 'End one session',
        success: { status: 204, description: 'Ended' },
        refuses: { 404: 'There is no such session of this user, or it is over' },
      },
      async handle(request, { identity }) {
        const id = request.params['id']
        const by = byCaller(request, identity)
        const wasOpen = id !== undefined && (await ends.end(id, by, identity.subject))
        if (!wasOpen) throw new ProblemError('not_found', 'There is no such session')
        return emptyAnswer
      },
    },
  ]
}

function wireSession(
  { id, clientId, device, createdAt, lastUsedAt }: Session,
  current: string | undefined,
): object {
  return {
    id,
    client_id: clientId,
    device,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt.toISOString(),
    current: id === current,
  }
}
