import type { Feature } from '../../../feature/feature.ts'
import { auditEvents, type AttemptEvent } from './audit-events.ts'
import { purgeAttempts } from './store.ts'

/** Logins that wait for their next step. */
export const feature: Feature<object, AttemptEvent> = {
  name: 'attempts',
  auditEvents,
  cleanUp: [{ command: purgeAttempts, time: 'clock', before: (time) => time }],
}
