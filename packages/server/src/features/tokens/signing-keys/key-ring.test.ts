import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { generateKey } from 'keystile/jwt'
import type { KyselyPlugin } from 'kysely'
import { createTestClock, key } from '../../../../test-support/keystile.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'
import { defaultTimes } from './plan.ts'
import { createKeySeal, makeSealedKey } from './sealed-keys.ts'
import { claimIssuer } from './setting-store.ts'
import { advanceSigningKeys, revokeSigningKey } from './store.ts'

const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const { algorithm } = generateKey('ES256')

describe('a key ring', () => {
  const clock = createTestClock()
  const seal = createKeySeal([key])
  let database: Database
  let ring: KeyRing
  let reads: number
  /** Runs when a query has read its rows. Its answer waits for the promise. */
  let onRead: () => Promise<void>
  let revoke: (keyId: string) => void
  let isDown: boolean
  let logged: { readonly [name: string]: unknown }[]
  const outage = new Error('the database is down')
  const log = (fields: object, message: string): void => void logged.push({ ...fields, message })
  const logger = { ...silentLogger, info: log, warn: log, error: log }

  /** Counts the queries of a real database, delays their answers, and fails them in an outage. */
  const counter: KyselyPlugin = {
    transformQuery({ node }) {
      if (isDown) throw outage
      return node
    },
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
    isDown = false
    const { reader, write } = database.urgent
    ring = await openKeyRing(
      { urgent: { reader: reader.withPlugin(counter), write } },
      { seal, clock, logger, times: defaultTimes, onKeyRevoked: (listener) => (revoke = listener) },
    )
    reads = 0
    logged = []
  })
  afterEach(() => database.close())

  it('for 5 s after a read, a key ring does not read its keys again', async () => {
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

  it('a key ring stops using its keys if it cannot read them for half an hour', async () => {
    isDown = true
    clock.advance(1_800)
    const { keys, maxAgeSeconds } = await ring.published()
    assert.equal((await ring.signingKey()).keyId, keys.keys[0]?.kid)
    assert.equal(maxAgeSeconds, 300)

    clock.advance(0.001)
    const expected = { name: 'DatabaseUnavailableError', message: /signing keys cannot be read/ }
    await assert.rejects(ring.signingKey(), expected)
    await assert.rejects(ring.published(), expected)
  })

  it('a key ring reads the database for a new key if the only signing key is revoked', async () => {
    const { keyId = '' } = await ring.signingKey()
    const next = await makeSealedKey('ES256', seal)
    const values = { id: keyId, offered: next, by: byOperator, now: clock.now() }
    await database.write(revokeSigningKey, values)
    revoke(keyId)
    assert.equal((await ring.signingKey()).keyId, next.id)
  })

  it('a token that was signed with a known key causes no read of the keys', async () => {
    const { keyId } = await ring.signingKey()
    await ring.keySet.seek?.(keyId, algorithm)
    assert.equal(reads, 0)
  })

  it('simultaneous callers of a key ring share one read, even if a guard started it', async () => {
    clock.advance(6)
    const kid = (await ring.published()).keys.keys[0]?.kid
    assert.equal(reads, 1)
    clock.advance(6)
    ring.keySet.find(kid, algorithm)
    await Promise.all(Array.from({ length: 100 }, () => ring.signingKey()))
    assert.equal(reads, 2)
  })

  it('100 simultaneous tokens with invented key ids cause only one read of the keys', async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => ring.keySet.seek?.(`invented-${i}`, algorithm)),
    )
    assert.equal(reads, 1)
  })

  it('even during a read of the keys, an unknown key id in a token starts a new read', async () => {
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

  it('a guard reads the keys again if its copy of the keys is half an hour old', async () => {
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
      retryAfterSeconds: 1,
    })
  })

  it('tokens with invented key ids cause at most four reads of the keys per second', async () => {
    const start = performance.now()
    for (let i = 0; i < 3; i++) {
      await ring.keySet.seek?.(`invented-${i}`, algorithm)
      const elapsed = performance.now() - start
      assert.ok(reads <= 1 + elapsed / 249, `${reads} reads in ${elapsed} ms`)
    }
    assert.equal(reads, 3)
  })

  it('a key ring logs once when its keys cannot be read, and once when they can again', async () => {
    const warning = { err: outage, message: 'the signing keys cannot be read' }
    const end = { message: 'the signing keys can be read again' }
    for (const [isUp, expected] of [
      [false, [warning]],
      [false, [warning]],
      [true, [warning, end]],
      [false, [warning, end, warning]],
    ] as const) {
      isDown = !isUp
      clock.advance(6)
      await ring.signingKey()
      assert.deepEqual(logged, expected)
    }
  })

  it('a key ring ignores a new key that it cannot decrypt, and logs the key’s id', async () => {
    const before = await ring.signingKey()
    const foreign = await makeSealedKey('ES256', createKeySeal(['another sealing key']))
    const values = { now: clock.now(), algorithm: 'ES256', offered: foreign, times: defaultTimes }
    await database.write(advanceSigningKeys, { ...values, forcedBy: byOperator })
    clock.advance(6)
    assert.deepEqual(
      (await ring.published()).keys.keys.map(({ kid }) => kid),
      [before.keyId],
    )
    assert.equal((await ring.signingKey()).keyId, before.keyId)
    assert.deepEqual(
      logged.map(({ keyId, message }) => [keyId, message]),
      [[foreign.id, 'a signing key cannot be decrypted']],
    )
  })

  it('if the current key is revoked, a key ring uses the next key without a new read', async () => {
    const { keyId } = await ring.signingKey()
    const next = await makeSealedKey('ES256', seal)
    const values = { now: clock.now(), algorithm: 'ES256', offered: next, times: defaultTimes }
    await database.write(advanceSigningKeys, { ...values, forcedBy: byOperator })
    clock.advance(6)
    await ring.signingKey()
    isDown = true
    revoke(String(keyId))
    assert.equal(ring.keySet.find(keyId, algorithm), undefined)
    assert.equal(ring.keySet.find(next.id, algorithm)?.keyId, next.id)
    assert.equal((await ring.signingKey()).keyId, next.id)
  })

  it('a key ring does not use a revoked key again, even if the database still has it', async () => {
    const { keyId } = await ring.signingKey()
    revoke(String(keyId))
    assert.equal(ring.keySet.find(keyId, algorithm), undefined)
    await ring.keySet.seek?.(keyId, algorithm)
    assert.equal(ring.keySet.find(keyId, algorithm), undefined)
    assert.deepEqual((await ring.published()).keys.keys, [])
    await assert.rejects(ring.signingKey(), { message: 'there is no signing key' })
  })
})
