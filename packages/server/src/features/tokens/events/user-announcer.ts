import { kindOf, type Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { areStorable } from '../../../storage/storable.ts'
import { announceUserChange } from './store.ts'

/**
 * Creates the function that tells all processes that a user has changed in a table of the app. When
 * its promise resolves, this process has no outdated copy of the user in memory.
 */
export function createUserAnnouncer(
  database: Pick<Database, 'write'>,
  clock: Clock,
): (subject: string) => Promise<void> {
  return async (subject) => {
    if (typeof subject !== 'string') {
      throw new TypeError(
        `userChanged() must get a string, the subject of a user; it got ${kindOf(subject)}`,
      )
    }
    // No user has a subject that cannot be stored.
    if (areStorable(subject))
      await database.write(announceUserChange, { subject, now: clock.now() })
  }
}
