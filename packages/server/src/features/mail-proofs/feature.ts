import type { Feature } from '../../feature/feature.ts'
import { purgeProofs } from './store.ts'
import { codeRate } from './limits.ts'

/** Links and codes in mails, which prove that a person reads a mailbox. */
export const feature: Feature = {
  name: 'mail-proofs',
  rates: [codeRate],
  cleanUp: [{ command: purgeProofs, time: 'clock', before: (time) => time }],
}
