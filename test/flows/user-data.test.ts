// What the database keeps of a deleted user, and of all users after a restore. The tests read the
// tables from the schema, so they fail for a new table until it is decided what happens to its rows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  issuer,
  key,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'

interface Column {
  readonly name: string
  readonly type: string
}

/** Returns the tables with a column `subject`, and the columns of each. */
async function readTables({ kind, sql }: Stage): Promise<ReadonlyMap<string, readonly Column[]>> {
  const rows = await sql(
    kind === 'SQLite'
      ? `select t.name as "table", c.name as "column", c.type as "type"
         from sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table'`
      : `select table_name as "table", column_name as "column", data_type as "type"
         from information_schema.columns where table_schema = 'keystile'`,
  )
  const tables = new Map<string, Column[]>()
  for (const { table, column, type } of rows) {
    const columns = tables.get(String(table)) ?? []
    columns.push({ name: String(column), type: `${kind} ${String(type)}`.toLowerCase() })
    tables.set(String(table), columns)
  }
  for (const [table, columns] of tables)
    if (columns.every(({ name }) => name !== 'subject')) tables.delete(table)
  tables.delete('pending_registration') // its subjects are not users yet
  return tables
}

/** Adds a row of the subject to each table, with made-up values in the other columns. */
async function fill(
  { sql }: Stage,
  tables: ReadonlyMap<string, readonly Column[]>,
  id: string,
): Promise<void> {
  const later = Date.now() + 3_600_000
  for (const [table, columns] of tables) {
    const values = columns.map(({ name, type }) => {
      if (name === 'subject') return `'${id}'`
      if (/^(ended|dead|used|resolved|handled)_at$/.test(name)) return 'null'
      if (type === 'postgresql integer') return '1' // too small for a time
      return type.endsWith('text') ? `'made up'` : String(later)
    })
    const names = columns.map(({ name }) => `"${name}"`)
    await sql(`insert into "${table}" (${names.join()}) values (${values.join()})`)
  }
}

/** Returns the tables that have a row of the subject. */
async function tablesWith(
  { sql }: Stage,
  tables: ReadonlyMap<string, readonly Column[]>,
  id: string,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const table of tables.keys())
    if ((await sql(`select 1 from "${table}" where subject = '${id}'`)).length > 0)
      found.push(table)
  return found.toSorted()
}

describeOnBoth('the data of a user', (stage) => {
  it('of a deleted user, only the audit record and ended sessions stay', async () => {
    const { addUser, login, users } = await stage.start()
    const id = await addUser({ username: 'ada' })
    assert.equal((await login()).status, 200)
    const tables = await readTables(stage)
    await fill(stage, tables, id)
    assert.deepEqual(await tablesWith(stage, tables, id), [...tables.keys()].toSorted())

    // By the app: ada would have to prove the second factors among the made-up rows.
    const user = await users.readBySubject(id)
    assert.ok(user)
    assert.equal(await users.delete(user, { actor: 'app' }), 'deleted')
    assert.deepEqual(await tablesWith(stage, tables, id), ['audit', 'session'])
    const open = `select id from session where subject = '${id}' and ended_at is null`
    assert.deepEqual(await stage.sql(open), [])
    const [row] = await stage.sql(`select * from "user" where id = '${id}'`)
    const { username_key: name, deleted_at: deletedAt, created_at: createdAt, ...rest } = row!
    assert.deepEqual([name, typeof createdAt], ['ada', typeof deletedAt])
    assert.deepEqual(
      Object.values(rest).filter((value) => !['', '[]', '{}', null, id].includes(value as never)),
      [],
    )
  })

  it('a restore deletes waiting mails and links, and keeps what belongs to users', async () => {
    const { addUser } = await stage.start()
    const id = await addUser({ username: 'ada' })
    const tables = await readTables(stage)
    await fill(stage, tables, id)
    const { code } = await callCommand(['finish-restore', '--issuer', issuer], {
      cwd: import.meta.dirname,
      env: { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: key },
    })
    assert.equal(code, 0)
    const kept = [
      'audit',
      'authenticator_app',
      'browser_login',
      'dropped_mail',
      'former_email',
      'session',
    ]
    assert.deepEqual(await tablesWith(stage, tables, id), kept)
  })
})
