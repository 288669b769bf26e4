import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type LogEvent,
} from 'kysely'
import { inTables, type Reader } from './database.ts'
import {
  databaseTime,
  isTakenAtTheSameTime,
  lockRows,
  sendSignal,
  withoutLocked,
} from './portable-sql.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

describe('the SQL of locks, times and signals', () => {
  interface Tables {
    readonly setting: { readonly name: string }
  }
  const queryOf = (db: Reader) => inTables<Tables>(db).selectFrom('setting').select('name')

  it('lockRows locks the selected rows on PostgreSQL, and runs no query on SQLite', async () => {
    for (const [open, statements] of [
      [likePostgres, ['select "name" from "setting" order by "name" for update']],
      [openSqlite, []],
    ] as const) {
      const ran: string[] = []
      const db = open(ran)
      await db
        .transaction()
        .execute((transaction) => lockRows(transaction, queryOf(transaction).orderBy('name')))
      assert.deepEqual(ran, statements)
      await db.destroy()
    }
  })

  it('withoutLocked skips locked rows on PostgreSQL, and changes no query on SQLite', async () => {
    for (const [db, sql] of [
      [likePostgres(), 'select "name" from "setting" for update skip locked'],
      [openSqlite(), 'select "name" from "setting"'],
    ] as const) {
      await db.transaction().execute(async (transaction) => {
        assert.equal(withoutLocked(transaction, queryOf(transaction)).compile().sql, sql)
      })
      await db.destroy()
    }
  })

  it('databaseTime is the time in milliseconds since 1970 on SQLite', async () => {
    const db = openSqlite()
    const { now } = await db.selectNoFrom(databaseTime(db).as('now')).executeTakeFirstOrThrow()
    assert.ok(Number.isInteger(now) && Math.abs(now - Date.now()) < 60_000, String(now))
    await db.destroy()
  })

  it('sendSignal notifies the channel keystile on PostgreSQL, and is null on SQLite', () => {
    const postgres = likePostgres()
    const { sql, parameters } = sendSignal(postgres).compile(postgres)
    assert.deepEqual([sql, parameters], ["pg_notify($1, '')", ['keystile']])
    const sqlite = openSqlite()
    assert.equal(sendSignal(sqlite).compile(sqlite).sql, 'null')
  })

  it('isTakenAtTheSameTime is true only for the PostgreSQL error unique_violation', () => {
    const withCode = (code: string): Error => Object.assign(new Error('x'), { code })
    assert.equal(isTakenAtTheSameTime(withCode('23505')), true)
    for (const error of [withCode('23503'), new Error('x')])
      assert.equal(isTakenAtTheSameTime(error), false)
  })
})

function openSqlite(ran: string[] = []): Reader {
  const dialect = sqliteDialect(openSqliteFile(':memory:', 'write'))
  return new Kysely<unknown>({ dialect, log: (event) => recordQuery(ran, event) })
}

/** A database that compiles SQL for PostgreSQL, and runs nothing. */
function likePostgres(ran: string[] = []): Reader {
  return new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
    log: (event) => recordQuery(ran, event),
  })
}

/** Records a query, but not the statements that begin and end a transaction. */
function recordQuery(ran: string[], { query }: LogEvent): void {
  if (query.query.kind !== 'RawNode') ran.push(query.sql)
}
