import type { Database } from '../../../storage/database.ts'
import {
  createSessionStarter,
  type SessionStarter,
  type StarterParts,
} from '../../tokens/sessions/sessions.ts'
import { claimFirstStart } from './first-start-store.ts'
import { startLogin } from './store.ts'

/**
 * Creates a `SessionStarter`. Its transaction checks the account once more before it starts a
 * session.
 *
 * @param parts.auditSeconds how long the audit record keeps an entry
 */
export async function openLoginStarter(
  database: Database,
  { auditSeconds, ...parts }: StarterParts & { readonly auditSeconds: number },
): Promise<SessionStarter> {
  if (parts.issuing.hasAccounts) return createSessionStarter(database, { ...parts, startLogin })

  // Keystile does not know when an app's own user was created. So the audit record tells whether a
  // login is the user's first, until the record loses its oldest entries.
  const firstStart = await database.write(claimFirstStart, parts.clock.now())
  const recordedUntil = firstStart + auditSeconds * 1000
  return createSessionStarter(database, { ...parts, startLogin, recordedUntil })
}
