import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kysely } from 'kysely'
import { openSqliteFile } from '../storage/sqlite-connection.ts'
import { sqliteDialect } from '../storage/sqlite-dialect.ts'
import { maxPurgedAtOnce } from './clean-up.ts'
import { createPurge } from './purge.ts'

describe('createPurge', () => {
  for (const key of [undefined, 'name'])
    it(`createPurge deletes the oldest expired rows first (key: ${key ?? 'id'})`, async (t) => {
      const column = key ?? 'id'
      const sqlite = openSqliteFile(':memory:', 'write')
      const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
      t.after(() => db.destroy())
      sqlite.exec(`create table thing (${column} text primary key, expires_at integer);
        with recursive n (i) as (values (0) union all select i + 1 from n where i < 600)
          insert into thing select i, 600 - i from n`)
      const left = (): unknown =>
        sqlite.prepare('select count(*) as count, min(expires_at) as oldest from thing').get()
      const purge = (before: number): Promise<unknown> => {
        const { run } = createPurge('purgeThings', 'thing', key)
        return db.transaction().execute((transaction) => run(transaction, { before }))
      }

      assert.deepEqual(await purge(600), { purged: maxPurgedAtOnce })
      assert.deepEqual({ ...(left() as object) }, { count: 101, oldest: 500 })
      assert.deepEqual(await purge(600), { purged: 100 })
      assert.deepEqual({ ...(left() as object) }, { count: 1, oldest: 600 }) // it expires now
      assert.deepEqual(await purge(600), { purged: 0 })
    })
})
