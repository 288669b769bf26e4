import { command, type AnyCommand } from '../../storage/database.ts'
import { lockAccount } from '../accounts/in-transaction.ts'
import { restoreUses } from '../limits/in-transaction.ts'
import { insertMail } from '../outbox/in-transaction.ts'
import { startSession } from '../sessions/in-transaction.ts'
import type { StartLogin } from '../sessions/sessions.ts'

/**
 * How long an account counts as new. During this time, a login sends no notice of a new device:
 * every device is new, so the notice would be useless. A user that an app stores never counts as
 * new, because Keystile does not know when the app created the user.
 */
const newAccountMilliseconds = 10 * 60 * 1000

/**
 * Starts the session of a login, refunds the counts of the rate limits, and stores the notice of a
 * login from a new device. Starts no session if the account has changed since the password was
 * verified: if it was disabled or deleted, or if its password or rights changed. Locks the row of
 * the account first, so that such a change commits either before or after this transaction.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { session, hasAccount, passwordHash, rights, spent, notice, noticeTo } = login
  const { subject, created_at: now } = session
  const account = hasAccount
    ? await lockAccount(transaction, { subject, passwordHash, rights })
    : undefined
  if (hasAccount && !account) return { started: false }

  await startSession(transaction, login)
  // Successful logins and refreshes have no rate limit: SECURITY.md explains the risk.
  if (spent) await restoreUses(transaction, spent, now)

  const isNew = account !== undefined && now - account.created_at <= newAccountMilliseconds
  const recipient = hasAccount ? account?.email : noticeTo
  if (notice && recipient && !isNew)
    await insertMail(transaction, notice, { subject, recipient, now })
  return { started: true }
})

export const commands: readonly AnyCommand[] = [startLogin]
