// The transactions that change the authenticator app and the recovery codes.
// `change-in-transaction.ts` says in which order.
import { command, type Command, type Transaction } from '../../../storage/database.ts'
import { eraseApp, hasApp } from '../../credentials/second-factors/app-in-transaction.ts'
import type { FactorEvent } from '../../credentials/second-factors/audit-events.ts'
import {
  eraseSecondFactors,
  hasSecondFactor,
} from '../../credentials/second-factors/factors-in-transaction.ts'
import {
  confirmPending,
  insertPending,
  lockPending,
} from '../../credentials/second-factors/pending-app-in-transaction.ts'
import { replaceRecoveryCodes } from '../../credentials/second-factors/recovery-in-transaction.ts'
import { replaceProofs } from '../../mail/factor-undo/in-transaction.ts'
import {
  clearEnrolmentMails,
  clearFactorMails,
  insertMail,
} from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { LinkedProof } from '../../mail/proofs/new-proof.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endSessions, hasSessionEnded } from '../../tokens/sessions/in-transaction.ts'
import { timeAfterChanges } from '../../users/accounts/address-history-in-transaction.ts'
import { lockPerson } from '../../users/accounts/lock-in-transaction.ts'
import { clearGuesses } from '../../users/directory/guesses-in-transaction.ts'
import { endRemembered } from '../attempts/remembered-devices-in-transaction.ts'
import {
  entryOf,
  lockAddressee,
  sendNotice,
  type FactorChange,
  type Refused,
} from './change-in-transaction.ts'

/**
 * Stores the secret of an app that waits for its first code in this session. Does nothing if the
 * account is not active any more, or if the session has ended.
 */
export const beginApp: Command<
  Parameters<typeof insertPending>[1] & Pick<FactorChange, 'hasAccount' | 'by'>,
  void
> = command('beginApp', async (transaction, { hasAccount, by, ...pending }) => {
  const { subject } = pending
  const person = await lockPerson(transaction, { subject, rights: undefined, hasAccount })
  if (!person || (await hasSessionEnded(transaction, { subject, by }))) return
  await insertPending(transaction, pending)
})

/**
 * Confirms the pending app of a user, whose first code was right. It replaces a confirmed app,
 * which a thief of the phone may have. So all other sessions end, and new recovery codes replace
 * the old ones. If the mail about a first factor has a link, the address must be verified.
 */
export const confirmApp: Command<
  FactorChange & {
    readonly sealed: string
    readonly step: number
    /** The hashes of the recovery codes that come with the app. */
    readonly codeIds: readonly string[]
    /** The mail about an app that replaces another one. */
    readonly replacement: NewMail | undefined
    /** The mail about a first factor. Undefined without mail, and for an app's own users. */
    readonly undo: LinkedProof | undefined
  },
  { readonly outcome: 'confirmed' } | { readonly outcome: 'unverified' } | Refused
> = command('confirmApp', async (transaction, values) => {
  const { sealed, step, codeIds, replacement, undo, ...change } = values
  const { subject, by, now } = change
  const addressee = await lockAddressee(transaction, change)
  if (!addressee) return { outcome: 'gone' }
  if (!(await lockPending(transaction, { subject, sealed }))) return { outcome: 'gone' }
  const isFirst = !(await hasSecondFactor(transaction, subject))
  // The address may have changed since the secret was shown.
  const isUnverified = addressee.recipient !== undefined && !addressee.isVerified
  if (isFirst && undo && isUnverified) return { outcome: 'unverified' }
  // The link works only in the mailbox that it was prepared for, and another process may just have
  // changed the address.
  if (isFirst && undo && addressee.recipient !== change.noticeTo.email) return { outcome: 'gone' }
  const notice = isFirst ? (undo?.mail ?? change.notice) : replacement
  const full = await sendNotice(transaction, addressee, { notice })
  if (full) return full

  const since = await timeAfterChanges(transaction, { subject, now })
  await confirmPending(transaction, { subject, sealed, step, now: since })
  await replaceRecoveryCodes(transaction, { subject, ids: codeIds, now: since })
  await endSessions(transaction, { subject, except: by.sessionId, now })
  if (isFirst) await replaceProofs(transaction, { ...addressee, undo, now })
  await insertAudit<FactorEvent>(transaction, {
    event: 'factor_added',
    ...entryOf(change, 'otp'),
  })
  return { outcome: 'confirmed' }
})

/** Locks a user who has an app, and stores the mail about the change. */
async function prepareChange(
  transaction: Transaction,
  change: FactorChange,
): Promise<Refused | undefined> {
  const addressee = await lockAddressee(transaction, change)
  if (!addressee || !(await hasApp(transaction, change.subject))) return { outcome: 'gone' }
  return sendNotice(transaction, addressee, change)
}

/** Removes the app of a user with all recovery codes, and ends all other sessions. */
export const removeFactors: Command<FactorChange, { readonly outcome: 'removed' } | Refused> =
  command('removeFactors', async (transaction, change) => {
    const { subject, by, now } = change
    const refused = await prepareChange(transaction, change)
    if (refused) return refused

    await eraseApp(transaction, { subject })
    await endSessions(transaction, { subject, except: by.sessionId, now })
    await insertAudit<FactorEvent>(transaction, {
      event: 'factor_removed',
      ...entryOf(change, 'otp'),
    })
    return { outcome: 'removed' }
  })

/** Replaces the recovery codes of a user. The old ones do not work any more. */
export const renewRecoveryCodes: Command<
  FactorChange & { readonly codeIds: readonly string[] },
  { readonly outcome: 'renewed' } | Refused
> = command('renewRecoveryCodes', async (transaction, { codeIds, ...change }) => {
  const { subject, now } = change
  const refused = await prepareChange(transaction, change)
  if (refused) return refused

  const since = await timeAfterChanges(transaction, { subject, now })
  await replaceRecoveryCodes(transaction, { subject, ids: codeIds, now: since })
  await endRemembered(transaction, { subject })
  await insertAudit<FactorEvent>(transaction, { event: 'recovery_codes_made', ...entryOf(change) })
  return { outcome: 'renewed' }
})

/**
 * Removes all factors of a user for an operator or the app, ends all sessions and attempts, and
 * clears the counts of guesses and of mails about factors. If there was a factor, a mail says so.
 *
 * @returns whether there was a factor
 */
export const resetFactors: Command<
  FactorChange,
  { readonly hadFactor: boolean; readonly endedSessions: number }
> = command('resetFactors', async (transaction, change) => {
  const { subject, notice, now } = change
  const addressee = await lockAddressee(transaction, change)
  const hadFactor = await eraseSecondFactors(transaction, { subject })
  const endedSessions = await endSessions(transaction, { subject, now })
  await insertAudit<FactorEvent>(transaction, { event: 'factors_reset', ...entryOf(change) })
  const { username, recipient } = addressee ?? {}
  await clearGuesses(transaction, { subject, names: [username, recipient] })
  if (addressee && recipient !== undefined) {
    await clearFactorMails(transaction, { subject, recipient, now })
    if (hadFactor && notice) await insertMail(transaction, notice, { ...addressee, recipient })
    await clearEnrolmentMails(transaction, { subject, recipient, now })
  }
  return { hadFactor, endedSessions }
})
