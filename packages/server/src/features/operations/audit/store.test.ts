import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Kysely } from 'kysely'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { listAudit, purgeAudit, readNewestInstant, recordAudit, type AuditFilter } from './store.ts'
import type { AuditTables } from './tables.ts'

const now = Date.UTC(2026, 10, 25)

describe('the audit record in a database', () => {
  let database: Database
  beforeEach(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
  })
  afterEach(() => database.close())

  const record = (at: number, subject = 'ada'): Promise<void> =>
    database.write(recordAudit, { event: 'login', at, by: { actor: `user:${subject}` }, subject })
  const list = async (filter: AuditFilter = {}): Promise<readonly number[]> => {
    const found: number[] = []
    for await (const { at } of listAudit(database.reader, filter)) found.push(at - now)
    return found
  }

  it('recordAudit stores the caller’s session and client unless the entry has others', async () => {
    const by = { actor: 'user:root', sessionId: 'own', clientId: 'first', address: '::1' } as const
    await database.write(recordAudit, { event: 'user_disabled', at: now, by, subject: 'ada' })
    const about = { sessionId: 'other', clientId: 'second', detail: { given: ['a'] } }
    await database.write(recordAudit, { event: 'session_ended', at: now + 1, by, ...about })
    const rows = await inTables<AuditTables>(database.reader)
      .selectFrom('audit')
      .selectAll()
      .orderBy('id')
      .execute()
    const common = { actor: 'user:root', address: '::1' }
    assert.deepEqual(
      rows.map(({ id: _id, ...row }) => row),
      [
        {
          ...common,
          at: now,
          event: 'user_disabled',
          subject: 'ada',
          session_id: 'own',
          client_id: 'first',
          detail: null,
        },
        {
          ...common,
          at: now + 1,
          event: 'session_ended',
          subject: null,
          session_id: 'other',
          client_id: 'second',
          detail: '{"given":["a"]}',
        },
      ],
    )
  })

  it('listAudit returns the oldest lines first, filtered by time, number or subject', async () => {
    for (const at of [30, 10, 20]) await record(now + at)
    await record(now + 15, 'bob')
    assert.deepEqual(await list(), [10, 15, 20, 30])
    assert.deepEqual(await list({ since: now + 15 }), [15, 20, 30])
    assert.deepEqual(await list({ last: 2 }), [20, 30])
    assert.deepEqual(await list({ last: 0 }), [])
    assert.deepEqual(await list({ last: 3, since: now + 16 }), [20, 30])
    assert.deepEqual(await list({ subject: 'ada' }), [10, 20, 30])
    assert.deepEqual(await list({ subject: 'ada', last: 2, since: now }), [20, 30])
  })

  it('readNewestInstant returns the time of the newest line, if there is one', async () => {
    assert.equal(await readNewestInstant(database.reader), undefined)
    for (const at of [30, 10, 20]) await record(now + at)
    assert.equal(await readNewestInstant(database.reader), now + 30)

    const file = openSqliteFile(':memory:', 'write')
    const empty = new Kysely<unknown>({ dialect: sqliteDialect(file) })
    assert.equal(await readNewestInstant(empty), undefined)
    await empty.destroy()
  })

  it('listAudit returns all lines; purgeAudit deletes at most 500 lines at a time', async () => {
    await Promise.all(Array.from({ length: 1_001 }, (_, i) => record(now + i)))
    const all = await list()
    assert.deepEqual([all.length, all[0], all.at(-1)], [1_001, 0, 1_000])
    const before = now + 999
    assert.deepEqual(await database.write(purgeAudit, { before }), { purged: 500 })
    assert.equal((await list())[0], 500)
    assert.deepEqual(await database.write(purgeAudit, { before }), { purged: 499 })
    assert.deepEqual(await database.write(purgeAudit, { before }), { purged: 0 })
    assert.deepEqual(await list(), [999, 1_000])
  })
})
