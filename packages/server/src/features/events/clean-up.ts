import { clockMarginMilliseconds, type CleanUpStep } from '../../feature/clean-up.ts'
import { purgeEvents } from './store.ts'

/** Events that can hit no token any more. */
export const cleanUp: readonly CleanUpStep[] = [
  { command: purgeEvents, time: 'recorded', before: (time) => time - clockMarginMilliseconds },
]
