import { command, type AnyCommand } from '../../storage/database.ts'
import { lockAccount } from '../accounts/in-transaction.ts'
import { restoreUses } from '../limits/in-transaction.ts'
import { startSession } from '../sessions/in-transaction.ts'
import type { StartLogin } from '../sessions/sessions.ts'

/**
 * Starts the session of a login and refunds the counts of the rate limits. Starts no session if the
 * account has changed since the password was verified: if it was disabled or deleted, or if its
 * password or rights changed. Locks the row of the account first, so that such a change commits
 * either before or after this transaction.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { session, hasAccount, passwordHash, rights, spent } = login
  const account = { subject: session.subject, passwordHash, rights }
  if (hasAccount && !(await lockAccount(transaction, account))) return { started: false }

  await startSession(transaction, login)
  // Successful logins and refreshes have no rate limit: SECURITY.md explains the risk.
  if (spent) await restoreUses(transaction, spent, session.created_at)
  return { started: true }
})

export const commands: readonly AnyCommand[] = [startLogin]
