import { byApp } from '../../features/operations/audit/by.ts'
import { areStorable } from '../../storage/storable.ts'
import { forgetUser as forget } from '../commands.ts'
import type { Parts } from './parts.ts'

/** Erases what Keystile stores about a user of the app: see `Keystile.forgetUser`. */
export async function forgetUser(
  subject: string,
  { options, accounts: { database, feed }, userChanged }: Parts,
): Promise<void> {
  if (options.users === undefined)
    throw new TypeError(
      'forgetUser() is for users of the app; Keystile stores these users. ' +
        'Fix: call keystile.users.delete(id)',
    )
  if (!areStorable(subject)) return
  await database.write(forget, { subject, by: byApp, now: options.clock.now() })
  await userChanged(subject)
  await feed.tail()
}
