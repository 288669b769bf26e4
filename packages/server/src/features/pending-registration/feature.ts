import type { Feature } from '../../feature/feature.ts'
import { purgePending } from './store.ts'

/** Registrations that become an account when a person has proved that they read the mailbox. */
export const feature: Feature = {
  name: 'pending-registration',
  cleanUp: [{ command: purgePending, time: 'clock', before: (time) => time }],
}
