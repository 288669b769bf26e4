// The commands that end logins: `startLogin` most of them, `issueCode` those that get a code.
import { command, type Command, type Transaction } from '../../../storage/database.ts'
import { findApp } from '../../credentials/second-factors/app-in-transaction.ts'
import {
  hasSecondFactor,
  newestFactorAt,
} from '../../credentials/second-factors/factors-in-transaction.ts'
import { insertMail } from '../../mail/outbox/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { hasEntry, insertAudit } from '../../operations/audit/in-transaction.ts'
import { refundUses } from '../../operations/limits/in-transaction.ts'
import type { SessionEvent } from '../../tokens/sessions/audit-events.ts'
import { endSessionRows, lockSession } from '../../tokens/sessions/in-transaction.ts'
import type {
  NewSession,
  RefusedLogin,
  Remembering,
  SessionToStart,
  StartLogin,
} from '../../tokens/sessions/new-session.ts'
import { startSession } from '../../tokens/sessions/start-in-transaction.ts'
import { lockPerson, type LockedAccount } from '../../users/accounts/lock-in-transaction.ts'
import { endAttempt, lockAttempt } from '../attempts/attempts-in-transaction.ts'
import { insertCode, useCode, type NewCode } from '../attempts/codes-in-transaction.ts'
import {
  lockRemembered,
  moveRemembered,
  rememberDevice,
} from '../attempts/remembered-devices-in-transaction.ts'
import { insertBrowserLogin } from '../browser-login/browser-login-in-transaction.ts'
import type { LoginEvent } from './feature.ts'
import { areHeld } from './marks-in-transaction.ts'

/**
 * How long an account counts as new. During this time, a login sends no notice of a new device:
 * every device is new, so the notice would be useless.
 */
const newAccountMilliseconds = 10 * 60 * 1000

/** What a person has proved, as long as nothing has come of it. */
export interface ProvedLogin extends Pick<
  NewSession,
  'subject' | 'marks' | 'amr' | 'attemptId' | 'rights' | 'remembering' | 'replaces'
> {
  /** False for an app's own users, because they have no Keystile account to check. */
  readonly hasAccount: boolean
}

/**
 * Spends what was proved, and returns the account. Refuses if the account has changed since the
 * person proved who they are: if it was disabled or deleted, or if a proved credential or
 * its rights changed, or if the session to replace or the remembered device has ended. Locks the
 * user first, so that such a change commits either before or after this transaction.
 */
async function spendProofs(
  transaction: Transaction,
  {
    subject,
    marks = {},
    amr = [],
    attemptId,
    remembering,
    replaces,
    rights,
    hasAccount,
  }: ProvedLogin,
  now: number,
): Promise<{ readonly account: LockedAccount | undefined } | RefusedLogin> {
  const person = await lockPerson(transaction, { subject, rights, hasAccount })
  if (!person) return refused

  const { formerId, sparesFactor = false } = remembering ?? {}
  if (!amr.includes('mfa') && !sparesFactor && (await hasSecondFactor(transaction, subject)))
    return refused
  if (attemptId !== undefined && !(await lockAttempt(transaction, { id: attemptId, now })))
    return refused

  const isRemembered =
    formerId !== undefined && (await lockRemembered(transaction, { id: formerId, now }))
  if (sparesFactor && !isRemembered) return refused

  if (replaces) {
    const replaced = await lockSession(transaction, { id: replaces.id, subject, now })
    if (!replaced) return refused
    const newest = replaces.needsOlderFactor ? await newestFactorAt(transaction, subject) : 0
    if (newest > replaced.created_at) return refused
  }

  // Comes last, so that a refused login has spent nothing.
  const held = await areHeld(marks, { transaction, subject, ...person, now })
  if (held === 'changed') return refused
  if (held !== 'held') return { ...refused, mailWait: held.mailWait }

  if (attemptId !== undefined) await endAttempt(transaction, attemptId)
  return person
}

const refused: RefusedLogin = { started: false }

/** Returns the detail of the audit entry if the login had a factor other than a code of the app. */
function detailOf({
  remembering,
  isRecovery,
}: NewSession): { readonly factor: string } | undefined {
  if (remembering?.sparesFactor) return { factor: 'remembered device' }
  return isRecovery ? { factor: 'recovery code' } : undefined
}

/**
 * Starts the session of a login, refunds the counts of the rate limits, and stores the notice of a
 * login from a new device or with a recovery code. Starts no session if the account has changed:
 * see `spendProofs`. A step-up ends the session that it replaces, which must be active until then.
 */
export const startLogin: StartLogin = command('startLogin', async (transaction, login) => {
  const { wanted, session, hasAccount } = login
  const { subject, codeId, browserId, remembering, replaces, spent, notice } = wanted
  const now = session.created_at
  const proved = await spendProofs(transaction, { ...wanted, hasAccount }, now)
  if ('started' in proved) return proved

  if (codeId !== undefined) {
    const isUsed = await useCode(transaction, { id: codeId, sessionId: session.id, now })
    if (!isUsed) return refused
  }

  // Before the session starts: its audit entry would count as an earlier login.
  const { account } = proved
  const isNew = account
    ? now - account.created_at <= newAccountMilliseconds
    : notice !== undefined && (await isFirstLogin(transaction, login))

  if (replaces) await endReplaced(transaction, replaces.id, login)
  const sparesFactor = remembering?.sparesFactor === true
  await startSession(transaction, { ...login, detail: detailOf(wanted) })
  if (remembering) await keepRemembered(transaction, remembering, session)
  if (browserId !== undefined)
    await insertBrowserLogin(transaction, {
      id: browserId,
      session_id: session.id,
      subject,
      expires_at: session.expires_at,
    })
  // Successful logins and refreshes have no rate limit: SECURITY.md explains the risk.
  if (spent) await refundUses(transaction, spent, now)

  if (!isNew || wanted.isRecovery) await insertNotice(transaction, login, account)

  // While the user is locked, the app is the one that was proved.
  const isAppProved = wanted.provesApp || sparesFactor
  const [app] = isAppProved ? await findApp(transaction, { subject, state: 'confirmed' }) : []
  return { started: true, appSince: app?.created_at }
})

/**
 * Ends a login with an authorization code, and refunds the counts of the rate limits. Stores no
 * code if the account has changed: see `spendProofs`.
 */
export const issueCode: Command<
  {
    readonly proved: ProvedLogin & Pick<NewSession, 'spent'>
    readonly code: NewCode
    readonly by: By
  },
  { readonly issued: boolean; readonly mailWait?: number }
> = command('issueCode', async (transaction, { proved, code, by }) => {
  const { subject, clientId, now } = code
  const spent = await spendProofs(transaction, proved, now)
  if ('started' in spent) return { issued: false, ...spent }

  await insertCode(transaction, code)
  await insertAudit<LoginEvent>(transaction, {
    event: 'code_issued',
    at: now,
    by,
    subject,
    clientId,
  })
  if (proved.spent) await refundUses(transaction, proved.spent, now)
  return { issued: true }
})

/** Ends the session of a code that came again (RFC 6749 §4.1.2), if it has not ended. */
export const endReusedCode: Command<
  { readonly sessionId: string; readonly by: By; readonly now: number },
  void
> = command('endReusedCode', async (transaction, { sessionId, by, now }) => {
  const [ended] = await endSessionRows(transaction, [sessionId], now)
  if (!ended) return
  const { subject, client_id: clientId } = ended
  const event = { event: 'code_reused', at: now, by, subject, sessionId, clientId } as const
  await insertAudit<LoginEvent>(transaction, event)
})

/** Remembers the device if the person wants it. Otherwise, a remembered device stays so. */
async function keepRemembered(
  transaction: Transaction,
  { formerId, id, milliseconds }: Remembering,
  { id: sessionId, client_id, subject, created_at: now }: SessionToStart['session'],
): Promise<void> {
  if (milliseconds !== undefined)
    await rememberDevice(transaction, formerId, {
      id,
      client_id,
      subject,
      session_id: sessionId,
      created_at: now,
      expires_at: now + milliseconds,
    })
  else if (formerId !== undefined)
    await moveRemembered(transaction, formerId, { id, sessionId, now })
}

async function endReplaced(
  transaction: Transaction,
  id: string,
  { session: { subject, client_id: clientId, created_at: at }, by }: SessionToStart,
): Promise<void> {
  await endSessionRows(transaction, [id], at)
  const entry = { at, by, subject, sessionId: id, clientId }
  await insertAudit<SessionEvent>(transaction, { event: 'session_ended', ...entry })
}

/** Stores the notice of a login, if there is one. */
async function insertNotice(
  transaction: Transaction,
  { wanted: { subject, notice, noticeTo }, session: { created_at: now } }: SessionToStart,
  account: LockedAccount | undefined,
): Promise<void> {
  const to = account
    ? { email: account.email, isVerified: account.email_verified_at !== null }
    : noticeTo
  if (!notice || !to?.email) return
  const { email: recipient, isVerified } = to
  await insertMail(transaction, notice, { subject, recipient, isVerified, share: 'notice', now })
}

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
