// The commands of docs/guides/backup.md on a real PostgreSQL with the roles of deploy/roles.sql.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { callCommand } from '../../packages/server/test-support/command.ts'
import { issuer, key } from '../../packages/server/test-support/keystile.ts'
import { startPostgres } from '../../packages/server/test-support/postgres.ts'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/guides/backup.md'), 'utf8')

/** The shell commands of the guide that contain these words. */
function commandsWith(words: string): string {
  const lines = guide.split('\n').filter((line) => /^ *(sudo|.* pg_dump) /.test(line))
  return lines.filter((line) => line.includes(words)).join('\n')
}

it('the guide restores a dump with the documented roles, in an old and a new database', async (t) => {
  const postgres = await startPostgres({ hasClients: true })
  if (!postgres?.bin) {
    assert.notEqual(process.env['CI'], 'true', 'CI must not skip tests: install postgresql')
    return t.skip('no pg_dump: install postgresql')
  }
  t.after(() => postgres.stop())
  const cwd = mkdtempSync(join(tmpdir(), 'keystile-restore-'))
  t.after(() => rmSync(cwd, { recursive: true }))

  const { hostname, port } = new URL(postgres.url)
  const urlAs = (user: string, database: string): string =>
    `postgres://${user}@${hostname}:${port}/${database}`
  /** Runs commands as the superuser `postgres`. */
  const shell = async (commands: string, database: string): Promise<string> => {
    const env = {
      PATH: `${postgres.bin}:${process.env['PATH']}`,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: 'postgres',
      DATABASE_URL: urlAs('keystile_app', database),
    }
    const own = commands
      .replaceAll('sudo -u postgres ', '')
      .replaceAll('--dbname keystile', `--dbname ${database}`)
    const { stdout } = await promisify(execFile)('sh', ['-ec', own], { cwd, env })
    return stdout
  }
  const keystile = async (user: string, database: string, args: string): Promise<string> => {
    const env = {
      DATABASE_URL: urlAs(user, database),
      KEYSTILE_KEY: key,
      KEYSTILE_ISSUER: issuer,
    }
    const { code, stdout, stderr } = await callCommand(args.split(' '), { cwd, env })
    assert.equal(code, 0, stderr)
    return stdout
  }
  const createClient = (name: string): string => `client create ${name} --grants client_credentials`

  const roles = readFileSync(join(root, 'deploy/roles.sql'), 'utf8')
  const createDatabase = (database: string, sql: string): Promise<string> =>
    shell(
      `createdb ${database}; psql --set ON_ERROR_STOP=1 --dbname keystile <<'END'\n${sql}\nEND`,
      database,
    )
  await createDatabase('first', roles)
  await keystile('keystile_owner', 'first', 'migrate')
  await keystile('keystile_app', 'first', createClient('kept'))
  await shell(commandsWith('pg_dump'), 'first')
  await keystile('keystile_app', 'first', createClient('lost'))

  await createDatabase('second', roles)

  for (const database of ['first', 'second']) {
    await shell(`${commandsWith('alter schema')}\n${commandsWith('pg_restore')}`, database)
    await keystile('keystile_owner', database, 'migrate')
    assert.match(
      await keystile('keystile_app', database, 'finish-restore'),
      /\nNow start the servers, and repeat the changes that were lost: /,
    )
    const clients = await keystile('keystile_app', database, 'client list')
    assert.match(clients, /kept/)
    assert.doesNotMatch(clients, /lost/)
    await keystile('keystile_app', database, createClient('new'))
  }
  const query = /sudo -u postgres psql --dbname keystile --command "\n[^"]+"/.exec(guide)?.[0] ?? ''
  assert.match(await shell(query, 'first'), /client_created .* lost [^]*\(1 row\)/)
})
