import type { PurgeCommand } from '../../../feature/clean-up.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { createPurge } from '../../../feature/purge.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { insertMailOrWait } from '../../mail/outbox/in-transaction.ts'
import type { AddressedMail } from '../../mail/outbox/new-mail.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { refundUses } from '../../operations/limits/in-transaction.ts'
import type { Spent } from '../../operations/limits/uses.ts'
import { endAllAttempts, endAttempts } from './attempts-in-transaction.ts'
import type { AttemptEvent } from './audit-events.ts'
import { rememberedFront } from './remembered-devices-in-transaction.ts'
import type {
  AttemptRow,
  AuthorizationCodeRow,
  LoginFlowTables,
  RememberedDeviceRow,
} from './tables.ts'

/** The number of wrong second factors after which an attempt is over. */
export const maxTries = 5

/**
 * Stores an attempt after its first proof, and refunds the uses of limits that were not guesses.
 * Stores nothing if the mailbox got too many mails for the mail of the attempt.
 *
 * @param values.isFactorMissing whether the caller sent no second factor yet
 * @returns the milliseconds until the mailbox has room for the mail; 0 if the attempt is stored
 */
export const keepAttempt: Command<
  {
    readonly row: AttemptRow
    readonly refund: Spent
    readonly isFactorMissing: boolean
    readonly by: By
    readonly mail?: AddressedMail | undefined
  },
  { readonly wait: number }
> = command('keepAttempt', async (transaction, { row, refund, isFactorMissing, by, mail }) => {
  const { created_at: now, subject, client_id: clientId } = row
  const to = mail && { ...mail, subject, share: 'enrolment' as const, now }
  const wait = to ? await insertMailOrWait(transaction, to.mail, to) : 0
  if (wait > 0) return { wait }

  await inTables<LoginFlowTables>(transaction).insertInto('login_flow').values(row).execute()
  if (isFactorMissing)
    await insertAudit<AttemptEvent>(transaction, {
      event: 'factor_required',
      at: now,
      by,
      subject,
      clientId,
    })
  await refundUses(transaction, refund, now)
  return { wait: 0 }
})

export function findAttempt(
  reader: Reader,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<AttemptRow | undefined> {
  return inTables<LoginFlowTables>(reader)
    .selectFrom('login_flow')
    .selectAll()
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .where('tries', '<', maxTries)
    .executeTakeFirst()
}

/** Finds out when a device of a user was remembered. Undefined if it is not remembered. */
export function findRemembered(
  reader: Reader,
  { id, subject, now }: Pick<RememberedDeviceRow, 'id' | 'subject'> & { readonly now: number },
): Promise<Pick<RememberedDeviceRow, 'created_at' | 'session_id'> | undefined> {
  return inTables<LoginFlowTables>(reader)
    .selectFrom('login_flow')
    .select(['created_at', 'proofs as session_id'])
    .where('id', '=', id)
    .where('subject', '=', subject)
    .where('front', '=', rememberedFront)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/**
 * Counts a try of a second factor, before it is compared. So parallel tries together cannot exceed
 * the limit.
 */
export const countTry: Command<
  { readonly id: string; readonly now: number },
  { readonly isAllowed: boolean }
> = command('countTry', async (transaction, { id, now }) => {
  const counted = await inTables<LoginFlowTables>(transaction)
    .updateTable('login_flow')
    .set((row) => ({ tries: row('tries', '+', 1) }))
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .where('tries', '<', maxTries)
    .returning('id')
    .executeTakeFirst()
  return { isAllowed: counted !== undefined }
})

export function findCode(
  reader: Reader,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<AuthorizationCodeRow | undefined> {
  return inTables<LoginFlowTables>(reader)
    .selectFrom('authorization_code')
    .selectAll()
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

export const purgeAttempts: PurgeCommand = createPurge('purgeAttempts', 'login_flow')
export const purgeCodes: PurgeCommand = createPurge('purgeCodes', 'authorization_code')

export const ofUser: OfUser = {
  async erase(transaction, { subject }) {
    await endAttempts(transaction, { subject })
    await inTables<LoginFlowTables>(transaction)
      .deleteFrom('authorization_code')
      .where('subject', '=', subject)
      .execute()
  },
  async restored(transaction) {
    await endAllAttempts(transaction)
    return {}
  },
}
