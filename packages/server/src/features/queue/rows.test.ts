import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Kysely, sql } from 'kysely'
import { copyMigratedFile } from '../../../test-support/migrated.ts'
import type { Command, Reader } from '../../storage/database.ts'
import { openSqliteFile, sqliteDialect } from '../../storage/sqlite-dialect.ts'
import { countRows, createQueueCommands, hasDueRow, newRow, type QueuedRow } from './rows.ts'

const table = 'app_event'
const now = Date.UTC(2026, 10, 25)

describe('the rows of a queue', () => {
  let folder: string
  let db: Reader
  const { claim, retry } = createQueueCommands<QueuedRow>(table)

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-rows-'))
    const file = await copyMigratedFile(join(folder, 'keystile.db'))
    db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file, { readOnly: false })) })
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const run = <Values, Result>(of: Command<Values, Result>, values: Values): Promise<Result> =>
    db.transaction().execute((transaction) => of.run(transaction, values))
  async function insert(id: string, fields: Partial<QueuedRow> = {}): Promise<void> {
    const { expires_at, tries, next_try_at, dead_at } = { ...newRow(now, 1_000), ...fields }
    const { created_at = now } = fields
    await sql`insert into app_event values
      (${id}, '', ${created_at}, ${expires_at}, ${tries}, ${next_try_at}, ${dead_at}, null)`.execute(
      db,
    )
  }
  const list = async (): Promise<readonly unknown[]> => {
    const { rows } = await sql<QueuedRow>`select * from app_event order by id`.execute(db)
    return rows.map((row) => [row.id, row.tries, row.next_try_at - now, row.dead_at])
  }

  it('a new row is due immediately, and has no failure', () => {
    assert.deepEqual(newRow(now, 1_000), {
      created_at: now,
      expires_at: now + 1_000,
      tries: 0,
      next_try_at: now,
      dead_at: null,
      failure: null,
    })
  })

  it('a claim takes the rows that are due longest, but no dead or expired ones', async () => {
    await insert('dead', { dead_at: now })
    await insert('expired', { expires_at: now })
    await insert('later', { next_try_at: now + 1 })
    assert.equal(await hasDueRow(db, table, now), false)
    assert.deepEqual(await run(claim, { now, until: now + 9, limit: 10 }), [])

    await insert('b')
    await insert('a')
    await insert('c', { next_try_at: now - 1, tries: 2 })
    assert.equal(await hasDueRow(db, table, now), true)
    const claimed = await run(claim, { now, until: now + 9, limit: 2 })
    assert.deepEqual(claimed.map(({ id, tries }) => [id, tries]).toSorted(), [
      ['a', 1],
      ['c', 3],
    ])
    assert.deepEqual((await list()).slice(0, 3), [
      ['a', 1, 9, null],
      ['b', 0, 0, null],
      ['c', 3, 9, null],
    ])
  })

  it('a retry without an id makes all dead letters due, except expired ones', async () => {
    await insert('a', { dead_at: now, tries: 24, next_try_at: now + 7 })
    await insert('b', { dead_at: now, tries: 3 })
    await insert('expired', { dead_at: now, expires_at: now })
    await insert('waiting', { tries: 1, next_try_at: now + 5 })
    assert.deepEqual(await run(retry, { id: undefined, now }), { retried: 2 })
    assert.deepEqual(await list(), [
      ['a', 0, 0, null],
      ['b', 0, 0, null],
      ['expired', 0, 0, now],
      ['waiting', 1, 5, null],
    ])
  })

  it('a retry with an id makes only this row due, even if it waits', async () => {
    await insert('dead', { dead_at: now, tries: 24 })
    await insert('waiting', { tries: 1, next_try_at: now + 5 })
    await insert('other', { tries: 1, next_try_at: now + 5 })
    assert.deepEqual(await run(retry, { id: 'waiting', now }), { retried: 1 })
    assert.deepEqual(await run(retry, { id: '', now }), { retried: 0 })
    assert.deepEqual(await list(), [
      ['dead', 24, 0, now],
      ['other', 1, 5, null],
      ['waiting', 0, 0, null],
    ])
  })

  it('countRows counts dead letters, and rows that are overdue, apart from the rest', async () => {
    await insert('a')
    await insert('b')
    await insert('dead', { dead_at: now })
    await insert('old', { created_at: now - 1 })
    assert.deepEqual(await countRows(db, table), { waiting: 3, dead: 1 })
    assert.deepEqual(await countRows(db, table, now), { waiting: 2, dead: 2 })
  })

  it('countRows returns zeros if the database does not have the table yet', async () => {
    await sql`drop table app_event`.execute(db)
    assert.deepEqual(await countRows(db, table), { waiting: 0, dead: 0 })
  })
})
