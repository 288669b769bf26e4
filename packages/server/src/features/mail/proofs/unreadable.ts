import type { Seal } from '../../../base/seal.ts'
import type { Reader } from '../../../storage/database.ts'
import { openValues } from './new-proof.ts'
import { listOldestSealed } from './store.ts'

/**
 * How many proofs to check at most. The oldest proofs are checked first, because an old key may
 * have encrypted them.
 */
const lookedAt = 1_000

/** Whether at least one of the oldest proofs cannot be decrypted with the seal. */
export async function hasUnreadableProof(reader: Reader, seal: Seal): Promise<boolean> {
  const proofs = await listOldestSealed(reader, lookedAt)
  return proofs.some((proof) => openValues(seal, proof) === undefined)
}
