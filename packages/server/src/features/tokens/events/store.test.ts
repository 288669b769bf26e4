import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Kysely } from 'kysely'
import { copyMigratedFile } from '../../../../test-support/migrated.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import { readSchemaState } from '../../../storage/schema-state.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { feature } from './feature.ts'
import { insertEvents, skipNumbers } from './in-transaction.ts'
import { listEventsAfter, numberEvents, readFeed } from './store.ts'
import type { EventTables } from './tables.ts'

const now = Date.UTC(2026, 10, 25)
const margin = 70_000
const day = 24 * 60 * 60 * 1000

describe('the table of events', () => {
  let folder: string
  let db: Reader
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-event-store-'))
    const file = await copyMigratedFile(join(folder, 'keystile.db'))
    db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file, 'write')) })
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const insert = (value: string, tokensExpireAt: number): Promise<void> =>
    db
      .transaction()
      .execute((transaction) =>
        insertEvents(transaction, [{ kind: 'session', value, tokensExpireAt }], now),
      )
  const number = (): Promise<void> =>
    db.transaction().execute(async (transaction) => {
      await numberEvents.run(transaction, undefined)
    })
  const list = async (
    after = 0,
    at = now,
  ): Promise<readonly (readonly [number, string, number])[]> =>
    (await listEventsAfter(db, after, at)).map(({ seq, value, expiresAt }) => [
      seq,
      value,
      expiresAt - now,
    ])

  it('insertEvents does not store an event that expired a day ago or earlier', async () => {
    assert.equal((await readFeed(db, 0)).hasUnnumbered, false)
    await insert('over', now - margin - day)
    assert.equal((await readFeed(db, 0)).hasUnnumbered, false)
    await insert('expired by a clock that is ahead', now - margin - day + 1)
    assert.equal((await readFeed(db, 0)).hasUnnumbered, true)
  })

  it('listEventsAfter lists only numbered events, and their numbers never change', async () => {
    await insert('expired by a clock that is ahead', now - margin - day + 1)
    await insert('last', now - margin + 1)
    await insert('later', now + 5)
    assert.deepEqual(await list(), [])
    await number()
    await number()
    assert.equal((await readFeed(db, 0)).hasUnnumbered, false)
    const numbered = await list(0, now - day)
    assert.deepEqual(
      numbered.map(([seq]) => seq),
      [1, 2, 3],
    )
    const expiries = Object.fromEntries(numbered.map(([, value, expiresIn]) => [value, expiresIn]))
    assert.deepEqual(expiries, {
      'expired by a clock that is ahead': 1 - day,
      last: 1,
      later: margin + 5,
    })
    await insert('fourth', now)
    await number()
    assert.deepEqual(await list(3), [[4, 'fourth', margin]])
  })

  it('readFeed returns the highest event number, and the id of the requested event', async () => {
    for (const value of ['first', 'second']) await insert(value, now)
    await number()
    const { id } = await inTables<EventTables>(db)
      .selectFrom('event')
      .select('id')
      .where('seq', '=', 2)
      .executeTakeFirstOrThrow()
    const { mark } = await readSchemaState(db)
    const state = { seq: 2, hasUnnumbered: false, mark: { ...mark } }
    assert.deepEqual(await readFeed(db, 2), { ...state, idAt: id })
    assert.deepEqual(await readFeed(db, 3), { ...state, idAt: undefined })
  })

  it('readFeed rejects with the name of the table if the table `feed` is empty', async () => {
    await inTables<EventTables>(db).deleteFrom('feed').execute()
    await assert.rejects(readFeed(db, 0), /^Error: the table `feed` must have one row/)
  })

  it('insertEvents stores all events that one call passes', async () => {
    const ended = ['ada', 'bob'].map((value) => {
      return { kind: 'subject', value, tokensExpireAt: now } as const
    })
    await db.transaction().execute((transaction) => insertEvents(transaction, ended, now))
    await number()
    const values = (await list()).map(([, value]) => value)
    assert.deepEqual(values.toSorted(), ['ada', 'bob'])
  })

  it('after skipNumbers, the next event has a number that is higher by a billion', async () => {
    await insert('before', now)
    await number()
    await db.transaction().execute(skipNumbers)
    await insert('after', now)
    await number()
    assert.deepEqual(await list(1), [[1_000_000_002, 'after', margin]])
  })

  it('the clean-up deletes events that expired more than a day ago', async () => {
    await insert('ada', now)
    const [step] = feature.cleanUp ?? []
    assert.ok(step)
    const purgeAt = (time: number): Promise<unknown> =>
      db
        .transaction()
        .execute((transaction) =>
          step.command.run(transaction, { before: step.before(time, undefined) }),
        )
    assert.deepEqual(await purgeAt(now + margin + day), { purged: 0 })
    assert.deepEqual(await purgeAt(now + margin + day + 1), { purged: 1 })
    assert.equal((await readFeed(db, 0)).hasUnnumbered, false)
  })

  it('listEventsAfter omits events whose tokens have all expired', async () => {
    await insert('first', now)
    await number()
    assert.deepEqual(await list(0, now + margin - 1), [[1, 'first', margin]])
    assert.deepEqual(await list(0, now + margin), [])
  })
})
