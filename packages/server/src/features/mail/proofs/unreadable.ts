import type { Seal } from '../../../base/seal.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import { maxChecked } from '../outbox/unreadable.ts'
import { canOpen } from './sealed-values.ts'
import type { MailProofTables } from './tables.ts'

/**
 * Whether the encrypted values of at least one of the oldest proofs cannot be decrypted. False if
 * the database has no table of proofs yet.
 */
export async function hasUnreadableProof(reader: Reader, seal: Seal): Promise<boolean> {
  if (!(await hasTable(reader, 'mail_proof'))) return false

  const proofs = await inTables<MailProofTables>(reader)
    .selectFrom('mail_proof')
    .select(['id', 'purpose', 'sealed', 'resolved_at'])
    .where('sealed', 'is not', null)
    .orderBy('created_at')
    .limit(maxChecked)
    .execute()
  return proofs.some((proof) => !canOpen(seal, proof))
}
