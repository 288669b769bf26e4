import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import type { AnyCommand } from '../../../storage/database.ts'

export const purgeProofs: PurgeCommand = createPurge('purgeProofs', 'mail_proof')

export const commands: readonly AnyCommand[] = [purgeProofs]
