// The look-ups of recovery codes, the secrets of apps as `reseal.ts` reads and encrypts them again,
// and what the deletion of a user or a restore erases.
import type { OfUser } from '../../../feature/of-user.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import { eraseSecondFactors } from './factors-in-transaction.ts'
import type { AuthenticatorAppRow, SecondFactorTables } from './tables.ts'

/** The unused recovery codes of a user. They were made together. */
export interface OwnCodes {
  readonly count: number
  /** Undefined without codes. */
  readonly createdAt: Date | undefined
}

export async function describeRecoveryCodes(reader: Reader, subject: string): Promise<OwnCodes> {
  const { count, time } = await inTables<SecondFactorTables>(reader)
    .selectFrom('recovery_code')
    .select((row) => [row.fn.countAll().as('count'), row.fn.max('created_at').as('time')])
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  const createdAt = Number(count) === 0 ? undefined : new Date(time)
  return { count: Number(count), createdAt }
}

/** Whether a user has this recovery code. Does NOT spend it. */
export async function hasRecoveryCode(
  reader: Reader,
  { id, subject }: { readonly id: string; readonly subject: string },
): Promise<boolean> {
  const found = await inTables<SecondFactorTables>(reader)
    .selectFrom('recovery_code')
    .select('id')
    .where('id', '=', id)
    .where('subject', '=', subject)
    .executeTakeFirst()
  return found !== undefined
}

/** An app, with its secret as it is stored. */
export type SealedApp = Pick<AuthenticatorAppRow, 'subject' | 'state' | 'sealed'>

/**
 * Lists the apps of the next users in the order of their subjects, with all apps of the last user.
 * Empty if the database has no table of apps yet.
 */
export async function listSealed(
  reader: Reader,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly SealedApp[]> {
  if (!(await hasTable(reader, 'authenticator_app'))) return []
  const db = inTables<SecondFactorTables>(reader)
  const subjects = db
    .selectFrom('authenticator_app')
    .select('subject')
    .distinct()
    .where('subject', '>', after)
    .orderBy('subject')
    .limit(limit)
  return db
    .selectFrom('authenticator_app')
    .select(['subject', 'state', 'sealed'])
    .where('subject', 'in', subjects)
    .orderBy('subject')
    .execute()
}

/** Stores a secret that was encrypted again, if it is still the same secret. */
export const resealApp: Command<SealedApp & { readonly before: string }, void> = command(
  'resealApp',
  async (transaction, { subject, state, before, sealed }) => {
    await inTables<SecondFactorTables>(transaction)
      .updateTable('authenticator_app')
      .set({ sealed })
      .where('subject', '=', subject)
      .where('state', '=', state)
      .where('sealed', '=', before)
      .execute()
  },
)

export const ofUser: OfUser = {
  async erase(transaction, user) {
    await eraseSecondFactors(transaction, user)
  },
  // Recovery codes that were used after the backup would work again. Codes of apps need nothing:
  // those of that time have expired.
  async restored(transaction) {
    const db = inTables<SecondFactorTables>(transaction)
    const { users } = await db
      .selectFrom('recovery_code')
      .select((row) => row.fn.count('subject').distinct().as('users'))
      .executeTakeFirstOrThrow()
    const { numDeletedRows } = await db.deleteFrom('recovery_code').executeTakeFirstOrThrow()
    return {
      recovery_codes_deleted: Number(numDeletedRows),
      users_without_recovery_codes: Number(users),
    }
  },
}
