import { maxPurgedAtOnce, type PurgeCommand } from '../../feature/clean-up.ts'
import { command, inTables, type AnyCommand } from '../../storage/database.ts'
import type { MailProofTables } from './tables.ts'

/** Erases proofs that expired. */
export const purgeProofs: PurgeCommand = command('purgeProofs', async (transaction, { before }) => {
  const { numDeletedRows } = await inTables<MailProofTables>(transaction)
    .deleteFrom('mail_proof')
    .where('id', 'in', (from) =>
      from
        .selectFrom('mail_proof')
        .select('id')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(maxPurgedAtOnce),
    )
    .executeTakeFirstOrThrow()
  return { purged: Number(numDeletedRows) }
})

export const commands: readonly AnyCommand[] = [purgeProofs]
