import type { Seal } from '../../../base/seal.ts'
import type { Reader } from '../../../storage/database.ts'
import { hasUnreadable } from '../outbox/unreadable.ts'
import { openValues } from './new-proof.ts'
import type { MailProofRow } from './tables.ts'

export function hasUnreadableProof(reader: Reader, seal: Seal): Promise<boolean> {
  return hasUnreadable(reader, 'mail_proof', (proof: MailProofRow) => openValues(seal, proof))
}
