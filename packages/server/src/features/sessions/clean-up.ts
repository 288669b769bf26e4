import { clockMarginMilliseconds, type CleanUpStep } from '../../feature/clean-up.ts'
import { purgeSessions } from './purge-store.ts'

/** Sessions that neither a refresh nor an access token can use any more. */
export const cleanUp: readonly CleanUpStep[] = [
  { command: purgeSessions, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
]
