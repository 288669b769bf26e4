import type { Feature } from '../../../feature/feature.ts'
import { auditEvents, type AttemptEvent } from './audit-events.ts'
import { purgeAttempts, purgeCodes } from './store.ts'

/** Logins that wait for their next step, or for the exchange of their code. */
export const feature: Feature<object, AttemptEvent> = {
  name: 'attempts',
  auditEvents,
  cleanUp: [
    { command: purgeAttempts, time: 'clock', before: (time) => time },
    { command: purgeCodes, time: 'clock', before: (time) => time },
  ],
}
