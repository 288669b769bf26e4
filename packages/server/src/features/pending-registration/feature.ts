import type { Feature } from '../../feature/feature.ts'
import { purgePending } from './store.ts'

/**
 * Registrations that wait for a proof. A registration becomes an account when the person opens the
 * link in the mail or sends its code.
 */
export const feature: Feature = {
  name: 'pending-registration',
  cleanUp: [{ command: purgePending, time: 'clock', before: (time) => time }],
}
