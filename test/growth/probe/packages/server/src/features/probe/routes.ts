import { randomId, type Clock } from 'keystile/internal'
import { jsonAnswer, type GuardedRoute } from '../../http/route.ts'
import type { Database } from '../../storage/database.ts'
import { insertProbe } from './store.ts'

interface ProbeCaller {
  readonly identity: { readonly subject: string }
}

export function probeRoutes(
  database: Database,
  clock: Clock,
): readonly GuardedRoute<ProbeCaller>[] {
  return [
    {
      method: 'POST',
      path: '/probes',
      below: 'issuer',
      refusals: 'problem',
      guard: { scopes: ['users:read'] },
      doc: {
        tag: 'Own account',
        summary: 'Probe',
        success: {
          status: 200,
          description: 'How many probes the user has made',
          schema: {
            type: 'object',
            properties: { count: { type: 'integer' } },
            required: ['count'],
          },
        },
      },
      async handle(_request, { identity: { subject } }) {
        const count = await database.write(insertProbe, {
          id: randomId(),
          subject,
          at: clock.now(),
        })
        return jsonAnswer(200, { count })
      },
    },
  ]
}
