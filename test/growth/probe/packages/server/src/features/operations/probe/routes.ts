import { randomId, type Clock } from 'keystile/internal'
import type { Meter } from '../../../feature/metric.ts'
import { jsonAnswer } from '../../../http/answers.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import type { Database } from '../../../storage/database.ts'
import { byCaller, type CallerIdentity } from '../audit/by.ts'
import type { Limits } from '../limits/limits.ts'
import { useOf } from '../limits/uses.ts'
import { probeRate, probes } from './feature.ts'
import { insertProbe } from './store.ts'

interface ProbeParts {
  readonly database: Database
  readonly limits: Limits
  readonly meter: Meter
  readonly clock: Clock
}

export function probeRoutes(
  parts: ProbeParts,
): readonly GuardedRoute<{ readonly identity: CallerIdentity }>[] {
  const { database, limits, meter, clock } = parts
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
        refuses: { 429: 'Too many probes' },
      },
      async handle(request, { identity }) {
        const { subject } = identity
        await limits.count([useOf(probeRate, subject)])
        const values = {
          id: randomId(),
          subject,
          by: byCaller(request, identity),
          now: clock.now(),
        }
        const count = await database.write(insertProbe, values)
        meter.add(probes, {})
        return jsonAnswer(200, { count })
      },
    },
  ]
}
