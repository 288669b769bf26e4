// The background job that replaces signing keys. The process that holds the lease runs it.

import type { Clock, Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { startJob } from '../../operations/lease/job.ts'
import type { Lease } from '../../operations/lease/lease.ts'
import { defaultTimes, plan, type RotationTimes } from './plan.ts'
import { createKeySeal, makeSealedKey } from './sealed-keys.ts'
import { readLongestToken } from './setting-store.ts'
import type { SigningKeySource } from './signing-key-source.ts'
import { advanceSigningKeys, listSigningKeyRows } from './store.ts'

/** When keys are replaced. Only tests use other times than `defaultRotation`. */
export interface RotationSettings {
  readonly times: RotationTimes
  /** How often the rotation checks whether a key is due, in milliseconds. */
  readonly interval: number
}

export const defaultRotation: RotationSettings = { times: defaultTimes, interval: 60_000 }

export interface RotationParts extends RotationSettings {
  readonly source: SigningKeySource
  readonly lease: Lease
  readonly clock: Clock
  readonly logger: Logger
}

/** Replaces signing keys while this process holds the lease of background jobs. */
export interface Rotation {
  /** Stops the checks, and waits for a check that is running. */
  close(): Promise<void>
}

/** Starts the rotation. The operator's own keys are never replaced. */
export function startRotation(
  { reader }: Pick<Database, 'reader'>,
  { source, lease, clock, logger, times, interval }: RotationParts,
): Rotation {
  if ('ownKeys' in source) return { close: () => Promise.resolve() }
  const { algorithm } = source
  const seal = createKeySeal(source.sealingSecrets)

  async function rotate(): Promise<void> {
    const now = clock.now()
    const wanted = { algorithm, longestTokenSeconds: await readLongestToken(reader) }
    const due = plan(await listSigningKeyRows(reader), now, wanted, times)
    if (due.newSignsFrom === undefined && due.gone.length === 0) return

    // The command plans again under a lock: until then, `keystile key` may have changed the keys.
    const offered = await makeSealedKey(algorithm, seal)
    const values = { now, algorithm, offered, times }
    const { inserted, gone } = await lease.write(advanceSigningKeys, values)
    if (inserted)
      logger.info(
        { keyId: inserted.id, signsFrom: new Date(inserted.signs_from).toISOString() },
        'published the next signing key',
      )
    for (const keyId of gone) logger.info({ keyId }, 'deleted a signing key without valid tokens')
  }

  const job = startJob({
    lease,
    intervalMilliseconds: interval,
    step: rotate,
    report: (error) => logger.warn({ err: error }, 'the signing keys could not be rotated'),
  })
  lease.onTaken(job.run)
  return job
}
