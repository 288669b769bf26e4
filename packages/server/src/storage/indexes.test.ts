import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import pg from 'pg'
import { withMigrationsBefore } from '../../test-support/made-up-migration.ts'
import { createTestDatabase, howToGetPostgres } from '../../test-support/postgres.ts'
import { migrateDatabase } from './open.ts'

/** The statements that an operator of a large database runs before an upgrade. */
function readStatements(): readonly string[] {
  const guide = join(import.meta.dirname, '../../../../docs/guides/deployment.md')
  return readFileSync(guide, 'utf8').match(/^create index concurrently .*;$/gm) ?? []
}

describe('the indexes that a migration creates', () => {
  it('a migration skips indexes that operators have already created CONCURRENTLY', async (t) => {
    const database = await createTestDatabase()
    if (!database) return t.skip(`no PostgreSQL: ${howToGetPostgres}`)
    const client = new pg.Client({ connectionString: database.url })
    const list = async (column: string): Promise<readonly string[]> => {
      const text = `select ${column}::text as value from pg_indexes
        join pg_class on relname = indexname where schemaname = 'keystile' order by indexname`
      const { rows } = await client.query<{ value: string }>(text)
      return rows.map(({ value }) => value)
    }
    const run = async (): Promise<void> => {
      await migrateDatabase(database.url)
      await client.connect()
      const migrated = await list('indexdef')

      // Leaves the database as it was before the migration.
      await client.query(`
        delete from keystile.migration where name = '0017-indexes-for-many-rows';
        drop index keystile.session_subject_ended, keystile.user_administrator,
          keystile.mail_proof_purpose, keystile.mail_subject;
        create index session_subject on keystile.session (subject);
        create index mail_proof_mailbox on keystile.mail_proof (mailbox)`)
      const statements = readStatements()
      assert.equal(statements.length, 4)
      for (const statement of statements) await client.query(statement)
      const ids = await list('pg_class.oid')
      assert.deepEqual(await migrateDatabase(database.url), ['0017-indexes-for-many-rows'])

      assert.deepEqual(await list('indexdef'), migrated)
      const made = (await list('pg_class.oid')).filter((id) => !ids.includes(id))
      assert.deepEqual(made, [], 'the migration created no index')
    }
    try {
      await withMigrationsBefore('0018', run)
    } finally {
      await client.end()
      await database.drop()
    }
  })
})
