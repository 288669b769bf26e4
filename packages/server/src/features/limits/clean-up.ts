import type { CleanUpStep } from '../../feature/clean-up.ts'
import { purgeRates } from './store.ts'

/** The clock of another process that counts may be behind by so much. */
const marginMilliseconds = 60_000

/** Limits of which nothing is used up. */
export const cleanUp: readonly CleanUpStep[] = [
  { command: purgeRates, time: 'clock', before: (time) => time - marginMilliseconds },
]
