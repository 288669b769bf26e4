import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'

/**
 * Deletes expired proofs. It is not in `store.ts`, because that imports `feature.ts`, which lists
 * this command.
 */
export const purgeProofs: PurgeCommand = createPurge('purgeProofs', 'mail_proof')
