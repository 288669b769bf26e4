// The signing keys in a database: the commands that change them, and what a start reads of them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import { Kysely, sql } from 'kysely'
import { createTestClock, issuer, key } from '../../../../test-support/keystile.ts'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { ofUser } from '../../../server/commands.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { createFinishRestore } from '../../operations/backup/store.ts'
import type { EventFeed } from '../events/events.ts'
import { feature } from './feature.ts'
import { findStoredIssuer } from './issuer.ts'
import type { KeyRing } from './key-ring.ts'
import { describeKeys, findNextKeyDue, findSealedKey, hasOlderKey } from './key-standing.ts'
import { readingsOf, signingKeyAge, signingKeyRemaining } from './metrics.ts'
import { defaultTimes } from './plan.ts'
import { makeReplacement } from './replacement.ts'
import { createKeySeal, openSealedKey } from './sealed-keys.ts'
import { claimIssuer, readLongestToken, recordTokenLifetime } from './setting-store.ts'
import { openSigningKeys, type SigningKeyParts } from './signing-keys.ts'
import { advanceSigningKeys, resealSigningKey, revokeSigningKey } from './store.ts'
import type { NewKey, SigningKeyRow } from './tables.ts'

type AddedKey = Partial<SigningKeyRow> & Pick<SigningKeyRow, 'id'>

const newKey = 'the next sealing key: 9876543210 zyxwvu'
const day = 24 * 60 * 60 * 1000
const jwk = JSON.stringify(exportPrivateJwk(generateKey('EdDSA')))
const clock = createTestClock()
const now = clock.now()
const offered: NewKey = { id: 'offered', algorithm: 'ES256', sealed_jwk: 'x' }
/** A previous key, the current key and the next key. */
const [previous, current, next] = [
  { id: 'previous', signs_from: now - 20, signs_until: now - 10 },
  { id: 'current', signs_from: now - 10, signs_until: now + 10 },
  { id: 'next', signs_from: now + 10, signs_until: null },
]

describe('the signing keys in a database', () => {
  let migrated: MigratedFile
  before(async () => void (migrated = await openMigratedFile()))
  afterEach(() =>
    migrated.file.exec(
      'delete from signing_key; delete from setting; delete from event; delete from audit',
    ),
  )
  after(() => migrated.close())

  const query = (text: string): readonly (readonly unknown[])[] =>
    migrated.file.prepare(text).all().map(Object.values)
  const listKeys = () =>
    query('select id, signs_from, signs_until from signing_key order by signs_from')
  const add = (...rows: readonly AddedKey[]): void => {
    const insert = migrated.file.prepare(`insert into signing_key values
      (:id, :algorithm, :sealed_jwk, :created_at, :published_at, :signs_from, :signs_until)`)
    for (const row of rows) {
      const times = { created_at: 0, published_at: 0, signs_from: 0, signs_until: null }
      insert.run({ algorithm: 'ES256', sealed_jwk: 'x', ...times, ...row })
    }
  }
  const addSealed = (row: AddedKey, secret = key): void =>
    add({ ...row, sealed_jwk: createKeySeal([secret]).seal(jwk, row.id) })

  describe('the commands', () => {
    it('a database keeps its first issuer', async () => {
      const { database } = migrated
      assert.equal(await database.write(claimIssuer, issuer), issuer)
      assert.equal(await database.write(claimIssuer, 'https://other.example'), issuer)
      assert.equal(await findStoredIssuer(database), issuer)
    })

    it('recordTokenLifetime does not replace a longer lifetime', async () => {
      const { database } = migrated
      await database.write(claimIssuer, issuer)
      const lifetimes: number[] = [await readLongestToken(database.reader)]
      for (const seconds of [600, 60, 1800]) {
        await database.write(recordTokenLifetime, seconds)
        lifetimes.push(await readLongestToken(database.reader))
      }
      assert.deepEqual(lifetimes, [0, 600, 600, 1800])
    })

    it('a key without valid tokens is deleted, even if no new key is due', async () => {
      const { database } = migrated
      await database.write(claimIssuer, issuer)
      add({ ...previous, signs_until: now - defaultTimes.margin }, current, next)
      const values = { now, algorithm: 'ES256', offered, times: defaultTimes }
      assert.deepEqual(await database.write(advanceSigningKeys, values), {
        inserted: undefined,
        gone: ['previous'],
      })
      assert.deepEqual(listKeys(), [current, next].map(Object.values))
    })

    it('an audit entry names the key that an operator publishes before it is due', async () => {
      const { database } = migrated
      await database.write(claimIssuer, issuer)
      add({ ...current, signs_until: null })
      const values = { now, algorithm: 'ES256', offered, times: defaultTimes }
      assert.equal((await database.write(advanceSigningKeys, values)).inserted, undefined)
      const forced = await database.write(advanceSigningKeys, { ...values, forcedBy: byOperator })
      assert.equal(forced.inserted?.signs_from, now + day / 24)
      assert.deepEqual(query('select event, actor, at, detail from audit'), [
        ['signing_key_published', 'operator', now, '{"key_id":"offered"}'],
      ])
    })

    it('after any key is revoked, one key signs now, and a published next key stays', async () => {
      const { database } = migrated
      const signing = { ...current, signs_until: null }
      for (const [keys, id, left] of [
        [[previous, current, next], 'previous', [current, next]],
        [[previous, current, next], 'current', [previous, { ...next, signs_from: now }]],
        [[previous, current, next], 'next', [previous, signing]],
        [[signing], 'current', [{ id: 'offered', signs_from: now, signs_until: null }]],
        [[signing], 'unknown', [signing]],
      ] as const) {
        migrated.file.exec('delete from signing_key')
        await database.write(claimIssuer, issuer)
        add(...keys)
        const { found } = await database.write(revokeSigningKey, {
          id,
          offered,
          by: byOperator,
          now,
        })
        assert.deepEqual([found, listKeys()], [id !== 'unknown', left.map(Object.values)])
      }
      assert.deepEqual(query("select value from event where value = 'unknown'"), [])
    })

    it('the tokens of a revoked key are refused for ten years', async () => {
      const { database } = migrated
      await database.write(claimIssuer, issuer)
      const values = { id: 'ours', offered: undefined, by: byOperator, now }
      assert.deepEqual(await database.write(revokeSigningKey, values), { found: false })
      assert.deepEqual(query('select kind, value, expires_at from event'), [
        ['key', 'ours', now + 3650 * day + 70_000],
      ])
      assert.deepEqual(query('select event, actor, at, detail from audit'), [
        ['signing_key_revoked', 'operator', now, '{"key_id":"ours"}'],
      ])
    })

    it('resealSigningKey does not replace what another process has encrypted', async () => {
      add({ id: 'k', sealed_jwk: 'by another process' })
      const values = { id: 'k', before: 'before', sealed: 'by this process' }
      await migrated.database.write(resealSigningKey, values)
      assert.deepEqual(query('select sealed_jwk from signing_key'), [['by another process']])
    })

    it('a restore replaces and revokes all signing keys; without keys, it adds none', async () => {
      const { database } = migrated
      const restore = async (): Promise<readonly string[]> => {
        const values = { keepsSessions: false, offered, by: byOperator, now }
        return (await database.write(createFinishRestore(ofUser), values)).keysRevoked
      }
      assert.deepEqual([await restore(), listKeys()], [[], []])

      await database.write(claimIssuer, issuer)
      add(previous, current)
      assert.deepEqual((await restore()).toSorted(), ['current', 'previous'])
      assert.deepEqual(listKeys(), [['offered', now, null]])
      assert.deepEqual(query('select kind, value from event order by value'), [
        ['key', 'current'],
        ['key', 'previous'],
      ])
    })
  })

  describe('openSigningKeys', () => {
    let tell: Parameters<EventFeed['onEvent']>[0]
    const open = (more: Partial<SigningKeyParts> = {}): Promise<KeyRing> =>
      openSigningKeys(migrated.database, {
        issuer,
        source: { algorithm: 'EdDSA', sealingSecrets: [key] },
        accessTokenSeconds: 600,
        feed: { onEvent: (listener) => void (tell = listener) },
        clock,
        logger: silentLogger,
        times: defaultTimes,
        ...more,
      })

    it('openSigningKeys refuses the database of another issuer', async () => {
      await open()
      await assert.rejects(open({ issuer: 'https://other.example' }), {
        name: 'ConfigurationError',
        message:
          `this database belongs to the issuer ${issuer}, but the configured issuer is ` +
          '"https://other.example". Tokens contain their issuer, so a change of the issuer logs ' +
          `all users out. Fix: configure ${issuer}, or use another database`,
      })
    })

    it('openSigningKeys makes only the first key, also if the algorithm changes', async () => {
      const { keyId } = await (await open()).signingKey()
      const source = { algorithm: 'ES256', sealingSecrets: [key] } as const
      assert.equal((await (await open({ source })).signingKey()).keyId, keyId)
      assert.deepEqual(query('select id, algorithm from signing_key'), [[keyId, 'EdDSA']])
    })

    it('openSigningKeys encrypts only keys that the current secret cannot decrypt', async () => {
      await open()
      const sealed = (): unknown => query('select sealed_jwk from signing_key')[0]?.[0]
      const first = sealed()
      const source = { algorithm: 'EdDSA', sealingSecrets: [newKey, key] } as const
      await open({ source })
      const second = sealed()
      assert.notEqual(second, first)
      await open({ source })
      assert.equal(sealed(), second)
      await open({ source: { algorithm: 'EdDSA', sealingSecrets: [newKey] } })
    })

    it('only an event that revokes a key makes the process refuse the key', async () => {
      const { signingKey, keySet } = await open()
      const { keyId, algorithm } = await signingKey()
      const event = { id: 'e', value: String(keyId), seq: 1, expiresAt: now + day }
      tell({ ...event, kind: 'session' })
      assert.equal(keySet.find(keyId, algorithm)?.keyId, keyId)
      tell({ ...event, kind: 'key' })
      assert.equal(keySet.find(keyId, algorithm), undefined)
    })
  })

  describe('the facts about stored keys', () => {
    it('findSealedKey returns the key that was made last', async () => {
      add({ id: 'b', created_at: 2 }, { id: 'c', created_at: 3 }, { id: 'a', created_at: 1 })
      assert.deepEqual(await findSealedKey(migrated.database), {
        id: 'c',
        algorithm: 'ES256',
        sealed: 'x',
      })
    })

    it('findNextKeyDue returns when a key is due; undefined if a next key exists', async () => {
      const { database } = migrated
      add({ id: 'a', signs_from: now })
      assert.equal(await findNextKeyDue(database, now), now + 30 * day - day / 24)
      add(next)
      assert.equal(await findNextKeyDue(database, now), undefined)
    })

    it('hasOlderKey returns true if the secret cannot decrypt one of the keys', async () => {
      const { reader } = migrated.database
      addSealed({ id: 'a' })
      assert.equal(await hasOlderKey(reader, key), false)
      addSealed({ id: 'b' }, newKey)
      assert.equal(await hasOlderKey(reader, key), true)
    })

    it('without the tables, all lookups of keys return nothing and need no secret', async () => {
      const dialect = sqliteDialect(openSqliteFile(':memory:', 'write'))
      const reader = new Kysely<unknown>({ dialect })
      const needless = (): never => assert.fail('no key needs a secret')
      assert.equal(await findStoredIssuer({ reader }), undefined)
      assert.equal(await findSealedKey({ reader }), undefined)
      assert.equal(await findNextKeyDue({ reader }, now), undefined)
      assert.equal(await hasOlderKey(reader, key), false)
      assert.deepEqual(await describeKeys(reader, now, needless), [])
      await reader.destroy()
    })

    it('a key of a release without rotation still signs, and no next key is due', async () => {
      const dialect = sqliteDialect(openSqliteFile(':memory:', 'write'))
      const reader = new Kysely<unknown>({ dialect })
      const sealed = createKeySeal([key]).seal(jwk, 'a')
      await sql`create table signing_key (id, algorithm, sealed_jwk, created_at)`.execute(reader)
      await sql`insert into signing_key values ('a', 'EdDSA', ${sealed}, 0)`.execute(reader)
      assert.equal(await findNextKeyDue({ reader }, now), undefined)
      assert.deepEqual(await describeKeys(reader, now, () => [key]), [
        { id: 'a', state: 'current', signsUntil: undefined },
      ])
      await reader.destroy()
    })

    it('describeKeys returns the state of each key, and refuses another secret', async () => {
      const { reader } = migrated.database
      for (const times of [previous, current, next]) addSealed(times)
      assert.deepEqual(await describeKeys(reader, now, () => [key]), [
        { id: 'previous', state: 'previous', signsUntil: now - 10 },
        { id: 'current', state: 'current', signsUntil: now + 10 },
        { id: 'next', state: 'next', signsUntil: undefined },
      ])
      addSealed({ id: 'other' }, newKey)
      await assert.rejects(
        describeKeys(reader, now, () => [key]),
        { name: 'ConfigurationError' },
      )
    })

    it('makeReplacement makes a key only if all stored keys have the same secret', async () => {
      const { database } = migrated
      const options = { signingAlgorithm: 'EdDSA', database: migrated.path, key } as const
      assert.equal(await makeReplacement(database, options), undefined)
      addSealed({ id: 'a' })
      const signingKey = exportPrivateJwk(generateKey('ES256'))
      assert.equal(await makeReplacement(database, { ...options, signingKey }), undefined)
      const made = await makeReplacement(database, options)
      assert.ok(made?.algorithm === 'EdDSA' && openSealedKey(made, createKeySeal([key])))
      addSealed({ id: 'b' }, newKey)
      await assert.rejects(makeReplacement(database, options), { name: 'ConfigurationError' })
    })
  })
})

it('signingKey reads a JWK from a file, and its errors do not show what is in the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-jwk-'))
  const path = join(folder, 'own.jwk')
  const parse = feature.settings?.find(({ name }) => name === 'signingKey')?.parse ?? assert.fail()
  try {
    assert.throws(() => parse(path), {
      name: 'TypeError',
      message: /^must name a file with a private JWK: ENOENT/,
    })
    writeFileSync(path, `${jwk},`)
    assert.throws(() => parse(path), {
      name: 'TypeError',
      message: `must name a file with a private JWK; ${path} is not JSON`,
    })
    writeFileSync(path, jwk)
    assert.deepEqual(parse(path), JSON.parse(jwk))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('the gauges say how long the key has been signing, and when the next key signs', () => {
  const of = (signs_until: number | null): readonly unknown[] => {
    const times = { id: 'a', algorithm: 'ES256', published_at: 0, signs_from: 10_000, signs_until }
    return readingsOf(times, 40_000, { ...defaultTimes, period: 20_000 })
  }
  const age = { gauge: signingKeyAge, value: 30 }
  assert.deepEqual(of(45_000), [age, { gauge: signingKeyRemaining, value: 5 }])
  assert.deepEqual(of(null), [age, { gauge: signingKeyRemaining, value: -10 }])
})
