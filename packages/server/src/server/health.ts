import { writeQueueLength } from '../configuration/database.ts'
import type { Reading } from '../feature/metric.ts'
import { hashQueueLength } from '../features/credentials/password/feature.ts'
import type { WatchedHashThreads } from '../features/credentials/password/watched-hash-threads.ts'
import type { EventFeed } from '../features/tokens/events/events.ts'
import { feedAge } from '../features/tokens/events/feature.ts'
import { revocationStreams } from '../features/tokens/revocation-feed/feature.ts'
import type { RevocationStreams } from '../features/tokens/revocation-feed/streams.ts'
import type { KeyRing } from '../features/tokens/signing-keys/key-ring.ts'
import type { Service } from '../listener/service.ts'
import type { Database } from '../storage/database.ts'
import { NewerSchemaError } from '../storage/require-schema.ts'

/**
 * Returns the reasons why a load balancer should send no requests now, one sentence for each
 * reason.
 */
export async function findUnreadiness({
  feed,
  hashThreads,
}: {
  readonly feed: EventFeed
  readonly hashThreads: WatchedHashThreads
}): Promise<readonly string[]> {
  const [databaseFault, hashThreadsWork] = await Promise.all([
    feed.tail().then(
      () => undefined,
      (error: unknown) =>
        error instanceof NewerSchemaError
          ? 'a newer release has changed the tables, and this release cannot use them'
          : 'the database does not answer',
    ),
    hashThreads.areWorking(),
  ])

  // A long queue of hashes is not a reason. If this instance got no requests, the other instances
  // would get its load.
  return [
    ...(databaseFault === undefined ? [] : [databaseFault]),
    ...(hashThreadsWork ? [] : ['the threads that hash passwords do not answer']),
  ]
}

/** Returns the lengths of the queues and the age of the feed, for `/metrics`. */
export function readGauges({
  database,
  feed,
  hashThreads,
  streams,
  jobs,
  signingKeys,
}: {
  readonly database: Database
  readonly feed: EventFeed
  readonly hashThreads: WatchedHashThreads
  readonly streams: Pick<RevocationStreams, 'count'>
  readonly jobs: { readGauges(): readonly Reading[] }
  readonly signingKeys: Pick<KeyRing, 'readGauges'>
}): ReturnType<Service['readGauges']> {
  return [
    { gauge: hashQueueLength, value: hashThreads.length },
    { gauge: writeQueueLength, value: database.writeQueueLength },
    { gauge: feedAge, value: feed.ageSeconds },
    { gauge: revocationStreams, value: streams.count },
    ...jobs.readGauges(),
    ...signingKeys.readGauges(),
  ]
}
