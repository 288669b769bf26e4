import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { KyselyPlugin } from 'kysely'
import { silentLogger } from 'keystile/internal'
import { generateKey } from 'keystile/jwt'
import { createTestClock, key } from '../../../test-support/keystile.ts'
import type { Database } from '../../storage/database.ts'
import { openDatabase } from '../../storage/open.ts'
import { byOperator } from '../audit/audit.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'
import { defaultTimes } from './plan.ts'
import { createKeySeal, makeSealedKey } from './sealed-keys.ts'
import { advanceSigningKeys, claimIssuer, revokeSigningKey } from './store.ts'

const writerThread = new URL('../../server/writer-thread.ts', import.meta.url)
const { algorithm } = generateKey('ES256')

describe('a key ring', () => {
  const clock = createTestClock()
  const seal = createKeySeal([key])
  let database: Database
  let ring: KeyRing
  let reads: number
  /** Runs when a query has read its rows. Its answer waits for the promise. */
  let onRead: () => Promise<void>

  /** Counts the queries of a real database, and delays their answers. */
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      reads++
      await onRead()
      return result
    },
  }
  beforeEach(async () => {
    onRead = () => Promise.resolve()
    database = await openDatabase(':memory:', writerThread)
    await database.write(claimIssuer, 'https://auth.example')
    const offered = await makeSealedKey('ES256', seal)
    const values = { now: clock.now(), algorithm: 'ES256', offered, times: defaultTimes }
    await database.write(advanceSigningKeys, values)
    const { reader, write } = database.urgent
    ring = await openKeyRing(
      { urgent: { reader: reader.withPlugin(counter), write } },
      { seal, clock, logger: silentLogger, times: defaultTimes, onKeyRevoked: () => {} },
    )
    reads = 0
  })
  afterEach(() => database.close())

  it('a key ring does not read its keys again for 5 s', async () => {
    clock.advance(5)
    await ring.signingKey()
    assert.equal(reads, 0)
    clock.advance(0.001)
    await ring.signingKey()
    assert.equal(reads, 1)
  })

  it('a key ring reads its keys again after its clock was set back', async () => {
    clock.advance(-3600)
    await ring.signingKey()
    assert.equal(reads, 1)
  })

  it('callers of a key ring share one read, and its guard starts it too', async () => {
    clock.advance(6)
    const kid = (await ring.published()).keys.keys[0]?.kid
    assert.equal(reads, 1)
    clock.advance(6)
    ring.keySet.find(kid, algorithm)
    await Promise.all(Array.from({ length: 100 }, () => ring.signingKey()))
    assert.equal(reads, 2)
  })

  it('tokens with invented keys cause one read together', async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => ring.keySet.seek?.(`invented-${i}`, algorithm)),
    )
    assert.equal(reads, 1)
  })

  it('a token of a new key does not share a read that began before the key existed', async () => {
    const kid = (await ring.published()).keys.keys[0]?.kid ?? assert.fail('there must be a key')
    await ring.keySet.seek?.('invented-1', algorithm)
    const pause = ring.keySet.seek?.('invented-2', algorithm)
    const hasRead = Promise.withResolvers<void>()
    const mayAnswer = Promise.withResolvers<void>()
    onRead = () => {
      hasRead.resolve()
      return mayAnswer.promise
    }
    clock.advance(6)
    const regular = ring.published()
    await hasRead.promise
    const next = await makeSealedKey('ES256', seal)
    const values = { id: kid, offered: next, by: byOperator, now: clock.now() }
    await database.write(revokeSigningKey, values)

    const sought = ring.keySet.seek?.(next.id, algorithm)
    await delay(300) // the pause between two reads that unknown keys cause is shorter
    mayAnswer.resolve()
    await Promise.all([pause, regular, sought])
    assert.equal(ring.keySet.find(next.id, algorithm)?.keyId, next.id)
    assert.equal(reads, 3)
  })

  it('the guard does not use a copy that is half an hour old, and reads the keys first', async () => {
    const kid = (await ring.published()).keys.keys[0]?.kid
    clock.advance(1801)
    assert.equal(ring.keySet.find(kid, algorithm), undefined)
    await ring.keySet.seek?.(kid, algorithm)
    assert.equal(ring.keySet.find(kid, algorithm)?.keyId, kid)
  })

  it('if the keys cannot be read, a token with an unknown key gets 503 and not 401', async () => {
    await database.close()
    await assert.rejects(async () => ring.keySet.seek?.('unknown', algorithm), {
      code: 'temporarily_unavailable',
    })
  })
})
