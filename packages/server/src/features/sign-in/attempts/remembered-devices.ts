import type { Clock } from 'keystile/internal'
import { daySeconds } from '../../../feature/values.ts'
import type { Database } from '../../../storage/database.ts'
import { findRemembered } from './store.ts'

/** Devices on which the login pages do not ask for a second factor for some days. */
export interface RememberedDevices {
  /** How long a device is remembered after a second factor was proved on it. 0: never. */
  readonly milliseconds: number
  /**
   * Whether a device of a user is remembered.
   *
   * @param id see `Device.rememberedId`; undefined for an unknown device
   * @param sessionId if given, the newest login on the device must have this session
   */
  has(id: string | undefined, subject: string, sessionId?: string): Promise<boolean>
}

export function createRememberedDevices(
  { reader }: Pick<Database, 'reader'>,
  { days, clock }: { readonly days: number; readonly clock: Clock },
): RememberedDevices {
  const milliseconds = days * daySeconds * 1000
  return {
    milliseconds,
    async has(id, subject, sessionId) {
      if (id === undefined || days === 0) return false
      const now = clock.now()
      const found = await findRemembered(reader, { id, subject, now })
      // The setting may have become shorter since.
      const isOpen = found !== undefined && found.created_at + milliseconds > now
      return isOpen && (sessionId === undefined || found.session_id === sessionId)
    },
  }
}
