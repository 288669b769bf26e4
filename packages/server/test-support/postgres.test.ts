import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { createTestDatabase, howToGetPostgres, startPostgres } from './postgres.ts'

/** Returns all values in the rows of a statement, as one list. */
async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query({ text: statement, rowMode: 'array' })
    return rows.flat()
  } finally {
    await client.end()
  }
}

describe('startPostgres', () => {
  let folder: string
  const { TMPDIR, KEYSTILE_TEST_DATABASE_URL } = process.env
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-postgres-test-'))
    // If root runs the tests, another user runs the server. This user must be able to enter the
    // folder.
    chmodSync(folder, 0o755)
    process.env['TMPDIR'] = folder
  })
  after(() => {
    restore({ TMPDIR })
    // Fails if the folder is not empty.
    rmdirSync(folder)
  })

  it('startPostgres can start a durable server, and stop() deletes its files', async (t) => {
    const server = await startPostgres({ durable: true })
    if (!server) return t.skip(howToGetPostgres)
    const settings = [
      'fsync',
      'synchronous_commit',
      'full_page_writes',
      'timezone',
      'server_encoding',
    ]
    const list = settings.map((name) => `current_setting('${name}')`).join(', ')
    assert.deepEqual(await ask(server.url, `select ${list}`), ['on', 'on', 'on', 'UTC', 'UTF8'])
    assert.equal(new URL(server.url).hostname, '127.0.0.1')
    await server.stop()
    await assert.rejects(ask(server.url, 'select 1'), { code: 'ECONNREFUSED' })
    assert.deepEqual(readdirSync(folder), [])
  })

  it('startPostgres uses KEYSTILE_TEST_DATABASE_URL, or else a server without fsync', async (t) => {
    delete process.env['KEYSTILE_TEST_DATABASE_URL']
    try {
      const server = await startPostgres()
      if (!server) return t.skip(howToGetPostgres)
      assert.deepEqual(await ask(server.url, 'show fsync'), ['off'])
      process.env['KEYSTILE_TEST_DATABASE_URL'] = server.url
      const same = await startPostgres()
      await same?.stop()
      assert.equal(same?.url, server.url)
      assert.deepEqual(await ask(server.url, 'select 1'), [1])
      await server.stop()
    } finally {
      restore({ KEYSTILE_TEST_DATABASE_URL })
    }
  })

  // All signals end the process in the same way for the janitor, so `npm test` tries one.
  const signals = process.env['KEYSTILE_LONG'] ? (['SIGINT', 'SIGTERM'] as const) : []
  for (const signal of ['SIGKILL', ...signals] as const) {
    it(`startPostgres removes its server and files if ${signal} ends the process`, async (t) => {
      const program = `
        import { startPostgres } from ${JSON.stringify(new URL('postgres.ts', import.meta.url).href)}
        const server = await startPostgres({ durable: true })
        console.log(server?.url ?? 'none')
        setInterval(() => {}, 1000)`
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      t.after(() => child.kill('SIGKILL'))
      const url = await firstLine(child)
      if (url === 'none') child.kill()
      if (url === 'none') return t.skip(howToGetPostgres)
      assert.deepEqual(await ask(url, 'select 1'), [1])
      child.kill(signal)
      // The stderr of the child closes when its last child process has ended.
      await once(child, 'close')
      await assert.rejects(ask(url, 'select 1'), { code: 'ECONNREFUSED' })
      assert.deepEqual(readdirSync(folder), [])
    })
  }
})

describe('createTestDatabase', () => {
  it('createTestDatabase makes separate databases; drop() deletes a database in use', async (t) => {
    const databases = await Promise.all([
      createTestDatabase(),
      createTestDatabase(),
      createTestDatabase(),
    ])
    const [first, second, third] = databases
    if (!first || !second || !third) return t.skip(howToGetPostgres)
    await ask(first.url, 'create table here (id int)')
    assert.deepEqual(await ask(second.url, "select to_regclass('here')"), [null])

    const client = new pg.Client(first.url)
    const errors: Error[] = []
    client.on('error', (error) => errors.push(error))
    const ended = new Promise<void>((resolve) => void client.once('end', resolve))
    await client.connect()
    await Promise.all([first.drop(), second.drop(), third.drop()])
    await ended
    assert.match(String(errors[0]), /terminating connection/)
    await assert.rejects(ask(first.url, 'select 1'), { code: '3D000' })
  })

  it('clear() removes tables and schemas of a test database, and ends connections', async (t) => {
    const database = await createTestDatabase()
    if (!database) return t.skip(howToGetPostgres)
    const namespaces =
      'select array_agg(nspname || nspacl::text order by nspname) from pg_namespace'
    const before = await ask(database.url, namespaces)
    const client = new pg.Client(database.url)
    client.on('error', () => {})
    const ended = new Promise<void>((resolve) => void client.once('end', resolve))
    await client.connect()
    await client.query('create schema other; create table other.here (); create table here ()')
    await client.query('begin; lock table here')
    await database.clear()
    await ended
    assert.deepEqual(await ask(database.url, namespaces), before)
    assert.deepEqual(await ask(database.url, "select to_regclass('here')"), [null])
    await database.drop()
  })

  it('createTestDatabase fails if CI=true and there is no PostgreSQL', async () => {
    const { CI, KEYSTILE_TEST_DATABASE_URL } = process.env
    process.env['CI'] = 'true'
    delete process.env['KEYSTILE_TEST_DATABASE_URL']
    try {
      await assert.rejects(createTestDatabase(), /no PostgreSQL, and CI=true/)
    } finally {
      restore({ CI, KEYSTILE_TEST_DATABASE_URL })
    }
  })
})

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  for await (const chunk of stdout ?? []) return String(chunk).trim()
  return 'none'
}
