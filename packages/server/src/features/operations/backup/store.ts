import type { OfUser } from '../../../feature/of-user.ts'
import {
  command,
  inTables,
  type Command,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import { skipNumbers } from '../../tokens/events/in-transaction.ts'
import { endAllSessions } from '../../tokens/sessions/in-transaction.ts'
import { replaceSigningKeys, type Replacement } from '../../tokens/signing-keys/in-transaction.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'
import type { BackupEvent } from './audit-events.ts'
import type { BackupTables } from './tables.ts'

const backupTimeName = 'backed_up_at'

/** Writes the time of a backup into the backup itself, which is a copy of the database. */
export async function recordBackupTime(transaction: Transaction, now: number): Promise<void> {
  const value = String(now)
  await inTables<BackupTables>(transaction)
    .insertInto('setting')
    .values({ name: backupTimeName, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}

/**
 * Returns the time at which `keystile backup` made this copy of a database, in milliseconds.
 * Returns undefined if the database is not such a copy.
 */
export async function findBackupTime(reader: Reader): Promise<number | undefined> {
  const row = await inTables<BackupTables>(reader)
    .selectFrom('setting')
    .select('value')
    .where('name', '=', backupTimeName)
    .executeTakeFirst()
  return row && Number(row.value)
}

export interface Finish {
  /** Whether sessions and signing keys stay valid. */
  readonly keepsSessions: boolean
  /** The signing key that replaces the stored signing keys. Undefined if the stored keys stay. */
  readonly offered: Replacement['offered'] | undefined
  readonly by: By
  readonly now: number
}

export interface Finished {
  /** When the backup was made; undefined if this time is not known. */
  readonly backedUpAt: number | undefined
  readonly sessionsEnded: number
  readonly keysRevoked: readonly string[]
  /** How many rows of each kind were deleted, such as `links_deleted`. */
  readonly deleted: Readonly<Record<string, number>>
}

// decisions/0033-backups-and-restores.md
/**
 * Creates the command that makes a restored database safe to use. The database does not know what
 * happened after the backup: which sessions ended, which refresh tokens and links were used, which
 * keys were revoked. So each feature deletes what must not work again and, unless `keepsSessions`
 * is true, all sessions end. If there is an `offered` key, this key replaces all stored signing
 * keys, and the tokens of the replaced keys are revoked. The links that undo a change of an address
 * stay.
 *
 * @param ofUser what all features store about users
 */
export function createFinishRestore(ofUser: readonly OfUser[]): Command<Finish, Finished> {
  return command('finishRestore', async (transaction, { keepsSessions, offered, by, now }) => {
    const backedUpAt = await findBackupTime(transaction)
    await skipNumbers(transaction)
    const sessionsEnded = keepsSessions ? 0 : await endAllSessions(transaction, now)
    const keysRevoked = offered ? await replaceSigningKeys(transaction, { offered, now }) : []
    const deleted: Record<string, number> = {}
    for (const { restored } of ofUser) Object.assign(deleted, await restored?.(transaction))
    await inTables<BackupTables>(transaction)
      .deleteFrom('setting')
      .where('name', '=', backupTimeName)
      .execute()

    await insertAudit<BackupEvent>(transaction, {
      event: 'database_restored',
      at: now,
      by,
      detail: {
        backed_up_at: backedUpAt === undefined ? null : new Date(backedUpAt).toISOString(),
        sessions_ended: sessionsEnded,
        revoked_key_ids: keysRevoked,
      },
    })
    return { backedUpAt, sessionsEnded, keysRevoked, deleted }
  })
}
