// Servers replace their signing keys by themselves. The clocks are those of the test.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { until } from '../../../../../../tools/until.ts'
import { downgradeBefore } from '../../../../test-support/downgrade.ts'
import {
  createTestClock,
  describeOnBoth,
  key,
  type Stage,
  type TestKeystile,
} from '../../../../test-support/keystile.ts'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { underLease } from '../../../server/commands.ts'
import { migrateDatabase, openDatabase } from '../../../storage/open.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { openLease, type Lease } from '../../operations/lease/lease.ts'
import { defaultTimes } from './plan.ts'
import { startRotation, type Rotation } from './rotation.ts'
import { createKeySeal, makeSealedKey } from './sealed-keys.ts'
import { claimIssuer } from './setting-store.ts'
import { advanceSigningKeys } from './store.ts'

const [hour, day] = [60 * 60, 24 * 60 * 60]
const tokenSeconds = 600
/** Looks at the keys each 20 ms, so that the test need not wait for a minute. */
const often = { times: defaultTimes, interval: 20 }
const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)

describeOnBoth('the rotation of signing keys', (stage) => {
  it('a key is published an hour before use, signs for 30 days, and is later deleted', async () => {
    const clock = createTestClock()
    const server = await stage.start({ clock }, often)
    const first = kidOf(await server.accessToken())

    clock.advance(30 * day - hour - 1)
    await delay(100)
    assert.equal(await countKeys(stage), 1)
    clock.advance(1)
    await untilKeys(stage, 2)
    clock.advance(6)
    const [, second] = await publishedKids(server)
    assert.ok(second !== undefined)
    clock.advance(hour - 7)
    const last = await server.accessToken()
    assert.equal(kidOf(last), first)
    clock.advance(1)
    assert.equal(kidOf(await server.accessToken()), second)

    clock.advance(tokenSeconds)
    assert.equal((await server.send('GET', '/users/me', { bearer: last })).status, 200)
    clock.advance(69)
    await delay(100)
    assert.deepEqual(await publishedKids(server), [first, second])
    clock.advance(1)
    await untilKeys(stage, 1)
    clock.advance(6)
    assert.deepEqual(await publishedKids(server), [second])
  })

  it('if no server ran for 300 days, the old key signs for one hour after the start', async () => {
    const clock = createTestClock()
    const before = await stage.start({ clock })
    const old = kidOf(await before.accessToken())
    await before.keystile.close()

    clock.advance(300 * day)
    const after = await stage.start({ clock }, often)
    await untilKeys(stage, 2)
    clock.advance(hour - 1)
    assert.equal(kidOf(await after.accessToken()), old)
    clock.advance(1)
    assert.notEqual(kidOf(await after.accessToken()), old)
  })

  it('after a change of signingAlgorithm, tokens of the old and new key are valid', async () => {
    const clock = createTestClock()
    const before = await stage.start({ clock, signingAlgorithm: 'EdDSA' })
    await before.accessToken()
    await before.keystile.close()

    const after = await stage.start({ clock, signingAlgorithm: 'RS256' }, often)
    await untilKeys(stage, 2)
    clock.advance(hour - 1)
    const old = await after.accessToken()
    clock.advance(1)
    const fresh = await after.accessToken()
    assert.deepEqual([algorithmOf(old), algorithmOf(fresh)], ['EdDSA', 'RS256'])
    for (const bearer of [old, fresh])
      assert.equal((await after.send('GET', '/users/me', { bearer })).status, 200)
  })

  it('if three processes publish a next key at the same time, only one key is stored', async () => {
    const server = await stage.start()
    await server.keystile.close()
    const databases = await Promise.all(
      Array.from({ length: 3 }, () => openDatabase(stage.database, writerThread)),
    )
    try {
      const outcomes = await Promise.all(
        databases.map(async (database) => {
          const offered = await makeSealedKey('ES256', createKeySeal([key]))
          const values = { now: Date.now(), algorithm: 'ES256', offered, times: defaultTimes }
          return database.write(advanceSigningKeys, { ...values, forcedBy: byOperator })
        }),
      )
      assert.equal(outcomes.filter(({ inserted }) => inserted).length, 1)
      assert.equal(await countKeys(stage), 2)
    } finally {
      for (const database of databases) await database.close()
    }
  })

  it('after a migration from a release without key rotation, the old key still signs', async () => {
    const before = await stage.start()
    const old = kidOf(await before.accessToken())
    await before.keystile.close()
    for (const statement of await downgradeBefore('0015')) await stage.sql(statement)
    await stage.sql(`delete from setting where name = 'longest_access_token_seconds'`)

    await migrateDatabase(stage.database)
    const after = await stage.start()
    assert.equal(kidOf(await after.accessToken()), old)
    const [row] = await stage.sql('select * from signing_key')
    assert.deepEqual(
      [row?.['signs_from'], row?.['published_at']],
      [row?.['created_at'], row?.['created_at']],
    )
    assert.equal(await longestToken(stage), 86_400)
  })

  it('the database remembers the longest lifetime of tokens that was ever configured', async () => {
    for (const accessTokenSeconds of [600, 1800, 60]) {
      const { keystile } = await stage.start({ accessTokenSeconds })
      await keystile.close()
    }
    assert.equal(await longestToken(stage), 1800)
  })

  it('if a server cannot read its keys, it signs for half an hour, then answers 503', async () => {
    const clock = createTestClock()
    const server = await stage.start({ clock })
    const client = await server.addClient()
    const ask = async (): Promise<number> =>
      (
        await server.send('POST', '/token', {
          form: { grant_type: 'client_credentials', ...client },
        })
      ).status
    assert.equal(await ask(), 200)

    await stage.sql('alter table signing_key rename to hidden')
    clock.advance(hour / 2)
    assert.deepEqual([await ask(), (await jwks(server)).status], [200, 200])
    clock.advance(1)
    assert.deepEqual([await ask(), (await jwks(server)).status], [503, 503])

    await stage.sql('alter table hidden rename to signing_key')
    assert.deepEqual([await ask(), (await jwks(server)).status], [200, 200])
  })

  it('a server accepts the tokens of a new key that the server has not read yet', async () => {
    const clock = createTestClock()
    const [one, other] = [await stage.start({ clock }), await stage.start({ clock })]
    await one.accessToken()
    const database = await openDatabase(stage.database, writerThread)
    const offered = await makeSealedKey('ES256', createKeySeal([key]))
    const values = { now: clock.now(), algorithm: 'ES256', offered, times: defaultTimes }
    await database.write(advanceSigningKeys, { ...values, forcedBy: byOperator })
    await database.close()

    clock.advance(hour)
    const bearer = await one.accessToken()
    assert.equal(kidOf(bearer), offered.id)
    assert.equal((await other.send('GET', '/users/me', { bearer })).status, 200)
  })
})

describe('the rotation in one process', () => {
  const clock = createTestClock()
  const source = { algorithm: 'EdDSA', sealingSecrets: [key] } as const
  let migrated: MigratedFile
  let lease: Lease
  let rotation: Rotation
  let logged: { readonly message: string; readonly err?: unknown; readonly keyId?: unknown }[]

  beforeEach(async () => {
    migrated = await openMigratedFile()
    await migrated.database.write(claimIssuer, 'https://auth.example')
    logged = []
    start(1)
  })
  afterEach(async () => {
    await rotation.close()
    await lease.close()
    await migrated.close()
  })
  /** @param interval how often the rotation looks for due keys, in milliseconds */
  const start = (interval: number): void => {
    lease = openLease(migrated.database, { underLease, logger: silentLogger })
    const log = (fields: object, message: string): void => void logged.push({ ...fields, message })
    const logger = { ...silentLogger, info: log, warn: log }
    const parts = { source, lease, clock, logger, times: defaultTimes, interval }
    rotation = startRotation(migrated.database, parts)
  }
  /** Waits until this number of messages is in the log. */
  const untilLogged = async (count: number): Promise<void> => {
    await until(() => logged.length >= count)
  }
  const hideKeys = (): void => migrated.file.exec('alter table signing_key rename to hidden')

  it('the rotation logs each key that it publishes or deletes', async () => {
    await untilLogged(1)
    for (const count of [2, 4]) {
      clock.advance(30 * day)
      await untilLogged(count)
    }
    const stored = migrated.file.prepare('select * from signing_key order by signs_from').all()
    const published = stored.map(({ id, signs_from: from }) => ({
      keyId: id,
      signsFrom: new Date(Number(from)).toISOString(),
      message: 'published the next signing key',
    }))
    const keyId = logged[0]?.keyId
    assert.deepEqual(logged.slice(1), [
      ...published,
      { keyId, message: 'deleted a signing key without valid tokens' },
    ])
  })

  it('if no key is due, the rotation writes nothing', async () => {
    await untilLogged(1)
    migrated.file.exec(`create table lock (name);
      create trigger locked after update on setting begin
        insert into lock values (new.name);
      end`)
    await delay(20)
    assert.deepEqual(migrated.file.prepare('select name from lock').all(), [])
    clock.advance(30 * day)
    await untilLogged(2)
    assert.equal(migrated.file.prepare('select name from lock').all().length, 1)
  })

  it('a failure of the rotation is logged, and the next try may succeed', async () => {
    await untilLogged(1)
    hideKeys()
    await untilLogged(2)
    assert.equal(logged[1]?.message, 'the signing keys could not be rotated')
    assert.match(String(logged[1]?.err), /no such table/)
    migrated.file.exec('alter table hidden rename to signing_key')
    clock.advance(30 * day)
    await until(() => logged.at(-1)?.message === logged[0]?.message)
  })

  it('a process that has lost the lease reads no keys, and logs no failure', async () => {
    await untilLogged(1)
    migrated.file.exec("update lease set fence = fence + 1, holder = 'other'")
    clock.advance(30 * day)
    await until(() => !lease.isHeld)
    hideKeys()
    await delay(20)
    assert.equal(logged.length, 1)
  })

  it('the rotation publishes a due key as soon as its process has the lease', async () => {
    await untilLogged(1)
    await rotation.close()
    await lease.close()
    clock.advance(30 * day)
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const timers = countTimers()
    start(hour * 1000)
    assert.equal(countTimers(), timers, 'a timer must not keep the process alive')
    await untilLogged(2)
  })

  it('a closed rotation reads no keys', async () => {
    await untilLogged(1)
    await rotation.close()
    hideKeys()
    await delay(20)
    assert.equal(logged.length, 1)
  })
})

function kidOf(token: string): string {
  return String(decodeJwtUnsafe(token).header['kid'])
}

function algorithmOf(token: string): unknown {
  return decodeJwtUnsafe(token).header['alg']
}

function jwks({ send }: TestKeystile): ReturnType<TestKeystile['send']> {
  return send('GET', '/.well-known/jwks.json')
}

async function publishedKids(server: TestKeystile): Promise<readonly string[]> {
  return (await jwks(server)).json['keys'].map(({ kid }: { readonly kid: string }) => kid)
}

async function countKeys(stage: Stage): Promise<number> {
  return (await stage.sql('select id from signing_key')).length
}

/** Waits until the database has this number of keys. */
async function untilKeys(stage: Stage, count: number): Promise<void> {
  await until(async () => (await countKeys(stage)) === count)
}

async function longestToken(stage: Stage): Promise<number> {
  const [row] = await stage.sql(
    `select value from setting where name = 'longest_access_token_seconds'`,
  )
  return Number(row?.['value'])
}
