import { command, type AnyCommand } from '../../storage/database.ts'
import { lockAccount } from '../accounts/in-transaction.ts'
import { restoreUses } from '../limits/in-transaction.ts'
import { startSession } from '../sessions/in-transaction.ts'
import type { StartLogin } from '../sessions/sessions.ts'

/**
 * Starts the session of a login and refunds the rate limits. Starts none where the account was
 * disabled, deleted, or given another password or other rights since the login was decided: the row
 * of the account is locked first, so one of the two comes before the other, on both databases.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { session, hasAccount, passwordHash, rights, spent } = login
  const account = { subject: session.subject, passwordHash, rights }
  if (hasAccount && !(await lockAccount(transaction, account))) return { started: false }
  await startSession(transaction, login)
  // Successful logins are not limited, nor are refreshes: SECURITY.md says what that costs.
  if (spent) await restoreUses(transaction, spent, session.created_at)
  return { started: true }
})

export const commands: readonly AnyCommand[] = [startLogin]
