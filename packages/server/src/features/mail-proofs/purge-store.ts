import { maxPurgedAtOnce, type PurgeCommand } from '../../feature/clean-up.ts'
import { command, inTables, withoutLocked, type AnyCommand } from '../../storage/database.ts'
import type { MailProofTables } from './tables.ts'

/** Deletes expired proofs. */
export const purgeProofs: PurgeCommand = command('purgeProofs', async (transaction, { before }) => {
  const db = inTables<MailProofTables>(transaction)
  const query = db
    .selectFrom('mail_proof')
    .select('id')
    .where('expires_at', '<', before)
    .orderBy('expires_at')
    .limit(maxPurgedAtOnce)
  // Another transaction may lock several proofs of a user, in another order.
  const found = await withoutLocked(transaction, query).execute()
  if (found.length === 0) return { purged: 0 }

  const ids = found.map(({ id }) => id)
  await db.deleteFrom('mail_proof').where('id', 'in', ids).execute()
  return { purged: found.length }
})

export const commands: readonly AnyCommand[] = [purgeProofs]
