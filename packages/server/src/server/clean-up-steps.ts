import type { CheckedOptions } from '../configuration/options.ts'
import type { CleanUpStep } from '../feature/clean-up.ts'
import { cleanUp as auditCleanUp } from '../features/audit/clean-up.ts'
import { cleanUp as eventCleanUp } from '../features/events/clean-up.ts'
import { cleanUp as limitCleanUp } from '../features/limits/clean-up.ts'
import { cleanUp as sessionCleanUp } from '../features/sessions/clean-up.ts'

/** What housekeeping deletes, in this order. */
export const cleanUpSteps: readonly CleanUpStep<Pick<CheckedOptions, 'auditSeconds'>>[] = [
  ...limitCleanUp,
  ...sessionCleanUp,
  ...eventCleanUp,
  ...auditCleanUp,
]
