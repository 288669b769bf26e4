import { startMail, type Mail } from '../../features/mail/messages/mail.ts'
import { pagesUrlOf } from '../../features/mail/messages/pages-url.ts'
import type { ProofPurpose } from '../../features/mail/proofs/purpose.ts'
import { startResolver } from '../../features/mail/proofs/resolver.ts'
import { startEventDelivery } from '../../features/operations/app-events/deliver.ts'
import { startHousekeeping } from '../../features/operations/housekeeping/housekeeping.ts'
import { openLease } from '../../features/operations/lease/lease.ts'
import { startRotation } from '../../features/tokens/signing-keys/rotation.ts'
import type { SigningKeySource } from '../../features/tokens/signing-keys/signing-key-source.ts'
import { underLease } from '../commands.ts'
import { cleanUpSteps } from '../features.ts'
import type { Parts } from './parts.ts'

/** The background jobs. Each job runs only while this process holds the lease of the job. */
export interface Jobs extends Pick<Mail, 'routes' | 'readGauges'> {
  /** Ends the jobs, and then releases the leases. */
  close(): Promise<void>
}

interface JobParts {
  readonly mailPurposes: readonly ProofPurpose[]
  readonly keySource: SigningKeySource
}

/**
 * Starts all jobs. They share one lease, except the delivery of events, which has its own. If one
 * job cannot start, ends those that have started.
 */
export async function startJobs(
  { options, pages, accounts, mailSeal: seal, meter, rotation: settings }: Parts,
  { mailPurposes: purposes, keySource: source }: JobParts,
): Promise<Jobs> {
  const { database } = accounts
  const { onEvent, clock, logger } = options

  const lease = openLease(database, { underLease, logger })
  const jobs: { close(): Promise<void> }[] = []
  const started = <Job extends (typeof jobs)[number]>(job: Job): Job => {
    jobs.push(job)
    return job
  }
  const close = async (): Promise<void> => {
    await Promise.all(jobs.map((job) => job.close()))
    await lease.close()
  }

  try {
    const { brand } = pages
    const mail = started(await startMail(options, { brand, database, lease, meter, seal }))
    const pagesUrl = pagesUrlOf(options)
    started(startResolver({ database, lease, purposes, seal, pagesUrl, clock, logger }))
    started(startHousekeeping(database, lease, cleanUpSteps, { ...options, meter }))
    started(startRotation(database, { ...settings, source, lease, clock, logger }))
    const eventParts = { onEvent, database, underLease, clock, logger }
    const events = started(await startEventDelivery(eventParts))
    return {
      routes: mail.routes,
      readGauges: () => [...mail.readGauges(), ...events.readGauges()],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
