import type { CleanUpStep } from '../../feature/clean-up.ts'
import { purgeAudit } from './store.ts'

/** Lines that are older than the record keeps them. */
export const cleanUp: readonly CleanUpStep<{ readonly auditSeconds: number }>[] = [
  { command: purgeAudit, time: 'recorded', before: (time, { auditSeconds }) => time - auditSeconds * 1000 },
]
