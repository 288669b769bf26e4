// Looks up the accounts of requests, and stores their mails, in the process that holds the lease of
// background jobs.
import type { Logger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { startJob } from '../../operations/lease/job.ts'
import type { Lease } from '../../operations/lease/lease.ts'
import { prepareMail, type NewMail } from '../outbox/new-mail.ts'
import { prepareLinkMail, type LinkMailParts, type LinkMailValues } from './new-proof.ts'
import type { ProofPurpose, Resolution } from './purpose.ts'
import { openRequest, sealData } from './sealed-values.ts'
import { leaveUnbound, listUnresolved } from './store.ts'
import type { MailProofRow } from './tables.ts'

/**
 * How often the resolver looks for new requests. The resolver does not start right after a request,
 * because its work would slow down the next requests. A caller who measures this delay could learn
 * whether there is an account.
 */
const intervalMilliseconds = 500
/** The largest number of requests that are resolved at the same time. */
const batchSize = 20
/** How long an app may take to find one of its own users. */
const lookupMilliseconds = 10_000

export interface ResolverParts extends LinkMailParts {
  readonly database: Pick<Database, 'reader'>
  readonly lease: Lease
  readonly purposes: readonly ProofPurpose[]
  readonly logger: Logger
}

/**
 * Resolves requests for mails while this process holds the lease of background jobs: looks up their
 * accounts, and stores their mails.
 */
export function startResolver(parts: ResolverParts): { close(): Promise<void> } {
  const { lease, logger, purposes } = parts
  if (purposes.length === 0) return { close: async () => {} }
  let isFailing = false

  return startJob({
    lease,
    intervalMilliseconds,
    async step(closing) {
      let last: MailProofRow | undefined
      let failure: unknown
      do {
        const batch = await resolveBatch(parts, last)
        failure ??= batch.failure
        last = batch.last
      } while (last && !closing.aborted && lease.isHeld)
      if (failure !== undefined) throw failure
      isFailing = false
    },
    report(error) {
      if (!isFailing)
        logger.warn({ err: error }, 'requested mails cannot be prepared; Keystile tries again')
      isFailing = true
    },
  })
}

/**
 * Resolves the oldest requests that come after the request `after`. A request that fails is tried
 * again at the next tick. The failure does not stop the other requests, because an app may fail for
 * one user only. Returns the last request, if there may be more, and the first error.
 */
async function resolveBatch(parts: ResolverParts, after: MailProofRow | undefined) {
  const { database, lease, clock } = parts
  const now = clock.now()
  const rows = await listUnresolved(database.reader, { now, limit: batchSize, after })

  const unknown: string[] = []
  const results = await Promise.allSettled(
    rows.map(async (row) => {
      if (!(await resolve(row, parts))) unknown.push(row.id)
    }),
  )
  // One write for all of them, so a flood of unknown names costs little.
  if (unknown.length > 0) await lease.write(leaveUnbound, { ids: unknown, now: clock.now() })
  const failed = results.find((result) => result.status === 'rejected')
  return { last: rows.length === batchSize ? rows.at(-1) : undefined, failure: failed?.reason }
}

/**
 * Looks up the account of a request, binds the request to the account and stores the mail. Returns
 * false if there is no account.
 */
async function resolve(row: MailProofRow, parts: ResolverParts): Promise<boolean> {
  const { lease, purposes, clock } = parts
  const seal = parts.seal()
  const purpose = purposes.find((known) => known.purpose === row.purpose)
  const request = openRequest(seal, row)
  if (!purpose || !request) return false

  const { values, secrets } = request
  const resolution = await inTime(purpose.resolve(values))
  if (!resolution) return false

  const { subject, mailbox, recipient, notice, data, device, keepsCount } = resolution
  const content = { ...secrets, language: values['language'], expiresAt: row.expires_at }
  await lease.write(purpose.bind, {
    id: row.id,
    subject,
    mailbox,
    sealed: data ? sealData(seal, row, data) : null,
    mail: mailOf(purpose, notice, content, parts),
    recipient,
    share: resolution.share ?? (notice ? 'taken' : 'requested'),
    device,
    keepsCount,
    now: clock.now(),
  })
  return true
}

/** Prepares the mail with the link and the code of a request, or the notice that replaces it. */
function mailOf(
  purpose: ProofPurpose,
  notice: Resolution['notice'],
  content: LinkMailValues,
  parts: ResolverParts,
): NewMail {
  if (!notice) return prepareLinkMail(purpose, content, parts)

  const { template, parameters } = notice
  const now = parts.clock.now()
  const kind = { template, lifetimeMilliseconds: content.expiresAt - now }
  return prepareMail(kind, { parameters, seal: parts.seal() }, now)
}

/**
 * Waits while the app looks up a user. Rejects after 10 s, so that one slow lookup does not hold
 * up all other requests.
 */
async function inTime<T>(lookup: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`the app must look up a user within ${lookupMilliseconds / 1000} s`)
    timer = setTimeout(() => reject(error), lookupMilliseconds).unref()
  })
  return Promise.race([lookup, late]).finally(() => clearTimeout(timer))
}
