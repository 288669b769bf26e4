import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Transaction,
} from '../../../storage/database.ts'
import { endAttempt, lockAttempt } from '../attempts/in-transaction.ts'
import { countWrongCode } from '../../credentials/second-factors/in-transaction.ts'
import { demandsSecondStep, holds } from './marks-in-transaction.ts'
import { lockAccount } from '../../users/accounts/in-transaction.ts'
import { hasEntry } from '../../operations/audit/in-transaction.ts'
import type { SessionEvent } from '../../tokens/sessions/audit-events.ts'
import { restoreUses } from '../../operations/limits/in-transaction.ts'
import { insertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { startSession } from '../../tokens/sessions/in-transaction.ts'
import type { NoticeAddress, SessionToStart, StartLogin } from '../../tokens/sessions/sessions.ts'

/**
 * How long an account counts as new. During this time, a login sends no notice of a new device:
 * every device is new, so the notice would be useless.
 */
const newAccountMilliseconds = 10 * 60 * 1000

/**
 * Starts the session of a login, refunds the counts of the rate limits, and stores the notice of a
 * login from a new device. Starts no session if the account has changed since the person proved who
 * they are: if it was disabled or deleted, or if a proved credential or its rights changed. Locks
 * the row of the account first, so that such a change commits either before or after this
 * transaction.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { wanted, session, hasAccount } = login
  const { subject, marks = {}, amr = [], attemptId, rights, spent, notice, noticeTo } = wanted
  const now = session.created_at
  const account = hasAccount ? await lockAccount(transaction, { subject, rights }) : undefined
  if (hasAccount && !account) return { started: false }

  if (!amr.includes('mfa') && (await demandsSecondStep(transaction, subject)))
    return { started: false }
  if (attemptId !== undefined && !(await lockAttempt(transaction, { id: attemptId, now })))
    return { started: false }
  // A proof that works once is the last one, so a refused login has spent nothing.
  for (const [method, mark] of Object.entries(marks))
    if (!(await holds(method, { transaction, mark, subject, account, now })))
      return { started: false }
  if (attemptId !== undefined) await endAttempt(transaction, attemptId)

  const isNew = account
    ? now - account.created_at <= newAccountMilliseconds
    : notice !== undefined && (await isFirstLogin(transaction, login))
  await startSession(transaction, login)
  // Successful logins and refreshes have no rate limit: SECURITY.md explains the risk.
  if (spent) await restoreUses(transaction, spent, now)

  const to = account
    ? { email: account.email, isVerified: account.email_verified_at !== null }
    : noticeTo
  if (notice && to?.email && !isNew)
    await insertMail(transaction, notice, {
      subject,
      recipient: to.email,
      isVerified: to.isVerified,
      share: 'notice',
      now,
    })
  return { started: true }
})

// decisions/0045-no-notice-of-a-first-login.md
/**
 * Whether an app's own user certainly logs in for the first time: the audit record has no login of
 * the user, and has not lost any yet.
 */
async function isFirstLogin(
  transaction: Transaction,
  { session: { subject, created_at: now }, recordedUntil = 0 }: SessionToStart,
): Promise<boolean> {
  return (
    now < recordedUntil && !(await hasEntry<SessionEvent>(transaction, { event: 'login', subject }))
  )
}

/**
 * Stores the time of the first start with an app's own users, unless it is already stored. Returns
 * the stored time, in milliseconds.
 */
export const claimFirstStart: Command<number, number> = command(
  'claimFirstStart',
  async (transaction, now) => {
    const db = inTables<{ setting: { readonly name: string; readonly value: string } }>(transaction)
    await db
      .insertInto('setting')
      .values({ name: 'first_start_with_app_users', value: String(now) })
      .onConflict((conflict) => conflict.doNothing())
      .execute()

    const { value } = await db
      .selectFrom('setting')
      .select('value')
      .where('name', '=', 'first_start_with_app_users')
      .executeTakeFirstOrThrow()
    return Number(value)
  },
)

/** Counts a wrong code from an unknown device, and stores the mail that tells the owner. */
export const recordWrongCode: Command<
  {
    readonly subject: string
    readonly notice: NewMail | undefined
    readonly to: NoticeAddress
    readonly now: number
  },
  void
> = command('recordWrongCode', async (transaction, { subject, notice, to, now }) => {
  await countWrongCode(transaction, subject)
  const { email: recipient, isVerified } = to
  if (notice && recipient !== undefined)
    await insertMail(transaction, notice, { subject, recipient, isVerified, share: 'notice', now })
})

export const commands: readonly AnyCommand[] = [startLogin, claimFirstStart, recordWrongCode]
