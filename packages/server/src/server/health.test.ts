import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WatchedHashThreads } from '../features/credentials/password/watched-hash-threads.ts'
import type { EventFeed } from '../features/tokens/events/events.ts'
import type { Database } from '../storage/database.ts'
import { NewerSchemaError } from '../storage/require-schema.ts'
import { findUnreadiness, readGauges } from './health.ts'

const feedWith = (members: Partial<EventFeed>): EventFeed => members as EventFeed
const threadsWith = (members: Partial<WatchedHashThreads>): WatchedHashThreads =>
  members as WatchedHashThreads

describe('findUnreadiness', () => {
  const newer = 'a newer release has changed the tables, and this release cannot use them'
  const away = 'the database does not answer'
  const stuck = 'the threads that hash passwords do not answer'
  for (const [error, isWorking, reasons] of [
    [undefined, true, []],
    [new Error('x'), true, [away]],
    [new NewerSchemaError('x'), true, [newer]],
    [undefined, false, [stuck]],
    [new Error('x'), false, [away, stuck]],
  ] as const)
    it(`findUnreadiness returns these reasons: ${reasons.join(', ') || 'none'}`, async () => {
      const feed = feedWith({
        tail: async () => {
          if (error) throw error
        },
      })
      const hashThreads = threadsWith({ areWorking: async () => isWorking })
      assert.deepEqual(await findUnreadiness({ feed, hashThreads }), reasons)
    })
})

describe('readGauges', () => {
  it('readGauges returns the gauges of queues, feed, streams, jobs and signing keys', () => {
    const gauge = { type: 'gauge', name: 'keystile_x', help: 'x' } as const
    const readings = readGauges({
      database: { writeQueueLength: 2 } as Database,
      feed: feedWith({ ageSeconds: 3 }),
      hashThreads: threadsWith({ length: 1 }),
      streams: { count: 4 },
      jobs: { readGauges: () => [{ gauge, value: 5 }] },
      signingKeys: { readGauges: () => [{ gauge, value: 6 }] },
    })
    assert.deepEqual(
      readings.map(({ gauge: { name }, value }) => [name, value]),
      [
        ['keystile_hash_queue_length', 1],
        ['keystile_write_queue_length', 2],
        ['keystile_feed_age_seconds', 3],
        ['keystile_revocation_streams', 4],
        ['keystile_x', 5],
        ['keystile_x', 6],
      ],
    )
  })
})
