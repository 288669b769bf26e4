import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'

export const purgeProofs: PurgeCommand = createPurge('purgeProofs', 'mail_proof')
