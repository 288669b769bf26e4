import { command, type AnyCommand } from '../../storage/database.ts'
import { lockAccount } from '../accounts/in-transaction.ts'
import { restoreUses } from '../limits/in-transaction.ts'
import { startSession } from '../sessions/in-transaction.ts'
import type { StartLogin } from '../sessions/sessions.ts'

/**
 * Starts the session of a login and refunds the rate limits. Starts no session if the account was
 * disabled or deleted, or if its password or rights changed, since the password was verified. Locks
 * the row of the account first, so that such a change commits either before or after this
 * transaction.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { session, hasAccount, passwordHash, rights, spent } = login
  const account = { subject: session.subject, passwordHash, rights }
  if (hasAccount && !(await lockAccount(transaction, account))) return { started: false }

  await startSession(transaction, login)
  // Successful logins are not limited, and neither are refreshes: SECURITY.md explains the risk.
  if (spent) await restoreUses(transaction, spent, session.created_at)
  return { started: true }
})

export const commands: readonly AnyCommand[] = [startLogin]
