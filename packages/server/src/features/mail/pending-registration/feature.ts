import type { Feature } from '../../../feature/feature.ts'
import { purgePending } from './store.ts'

/**
 * Registrations that wait for a proof. A registration becomes an account when the person confirms
 * it with the link or the code in the mail.
 */
export const feature: Feature = {
  name: 'pending-registration',
  cleanUp: [{ command: purgePending, time: 'clock', before: (time) => time }],
}
