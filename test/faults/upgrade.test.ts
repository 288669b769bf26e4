// A rolling upgrade: the release before this one and a newer one run on one PostgreSQL. Clients
// send each request to either of them, and both are restarted meanwhile. Each answer is compared
// with a model.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { migrateDatabase } from '@keystile/server'
import pg from 'pg'
import {
  callCommand,
  runCommand,
  startServer,
  type CommandOptions,
} from '../../packages/server/test-support/command.ts'
import { issuer, key, startKeystile } from '../../packages/server/test-support/keystile.ts'
import { withMigration } from '../../packages/server/test-support/made-up-migration.ts'
import {
  createTestDatabase,
  howToGetPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { createRandom } from './random.ts'
import { addMigration, copyCommit, copyWorkingTree, findOldCommit } from './release-copies.ts'
import { createBalancer, overHttp, type Balancer, type Instance } from './upgrade-balancer.ts'
import { createActors, type Told } from './upgrade-model.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const database = await createTestDatabase()
const noPostgres = !database && `there is no PostgreSQL: ${howToGetPostgres}`
const rootPassword = 'a password of the operator'

/** Creates the administrator whose token the clients use to manage users. */
async function logInRoot(url: string, balancer: Balancer, main?: string): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'keystile-upgrade-root-'))
  writeFileSync(join(cwd, 'password'), rootPassword, { mode: 0o600 })
  const args = ['user', 'create', 'root', '--role', 'admin', '--password-file', 'password']
  const options = { cwd, env: { DATABASE_URL: url } }
  const { code, stderr } = main
    ? await runCommand(args, { ...options, main })
    : await callCommand(args, options)
  rmSync(cwd, { recursive: true })
  assert.deepEqual([code, stderr], [0, ''])

  const form = { username: 'root', password: rootPassword }
  const { status, json } = await balancer.send('POST', '/token', { form })
  assert.equal(status, 200)
  return String(json['access_token'])
}

function report(told: Told, more: Readonly<Record<string, unknown>>): void {
  const { differences, operations, retries, ...counts } = told
  console.log(
    `upgrade: ${operations} operations, ${differences.length} differences, ` +
      `${retries} repeated until the other server knew, KEYSTILE_SEED=${seed} ` +
      JSON.stringify({ ...counts, ...more }),
  )
  assert.deepEqual(differences.slice(0, 5), [])
}

describe('a rolling upgrade', { skip: noPostgres, concurrency: 1 }, () => {
  const { url = '', clear, drop } = database ?? {}
  after(() => drop?.())

  it('this release works on a database to which a newer release added a table', async (t) => {
    const start = async (): Promise<Instance> => {
      const started = await startKeystile({ database: url })
      return { send: started.send, stop: () => started.keystile.close() }
    }
    const balancer = createBalancer(createRandom(seed))
    t.after(async () => {
      await balancer.stop()
      await clear?.()
    })
    await balancer.add(start)
    await withMigration('9999-made-up', { up: expandTables }, () => migrateDatabase(url))
    await balancer.add(start)
    const token = await logInRoot(url, balancer)
    const actors = createActors({ count: 6, balancer, token, random: createRandom(seed + 1) })
    await actors.run(150)
    await balancer.restart(0)
    await actors.run(150)
    report(actors.told, { isLong: false })
  })
})

/** Adds a table, and a column to a table, as the migration in `release-copies.ts` does. */
async function expandTables(): Promise<void> {
  const client = new pg.Client(database?.url)
  await client.connect()
  await client.query(`alter table keystile."user" add column made_up text not null default 'x';
    create table keystile.made_up (id text primary key)`)
  await client.end()
}

describe(
  'a rolling upgrade of processes',
  {
    skip: noPostgres || (!process.env['KEYSTILE_LONG'] && 'KEYSTILE_LONG=1 runs it'),
    concurrency: 1,
  },
  () => {
    let folder: string
    after(() => rmSync(folder, { recursive: true, force: true }))

    const env = (url: string): NonNullable<CommandOptions['env']> => ({
      KEYSTILE_DATABASE: url,
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_KEY: key,
      KEYSTILE_RATE_LIMITS: 'off',
      KEYSTILE_ACCESS_TOKEN_SECONDS: '3600',
    })
    const startFrom = (main: string, url: string) => async (): Promise<Instance> => {
      const running = await startServer({ cwd: folder, env: env(url), main })
      return overHttp(running)
    }
    /** The program of the release before this one. */
    function copyOld(): string {
      const commit = findOldCommit()
      if (commit === undefined) {
        console.log(
          '\n*** upgrade: git does not have the commit that introduced the schema mark (a shallow ' +
            'clone, or no repository). The OLD RELEASE IS REPLACED by this source. ***\n',
        )
        return copyWorkingTree(join(folder, 'old'))
      }
      return copyCommit(commit, join(folder, 'old'))
    }
    let old: string
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'keystile-upgrade-'))
      old = copyOld()
    })

    it('10,000 operations on two releases get the answers that a model predicts', async (t) => {
      const created = await createTestDatabase()
      assert.ok(created)
      const { url } = created
      const main = addMigration(copyWorkingTree(join(folder, 'new')), 'expands')
      const balancer = createBalancer(createRandom(seed))
      t.after(async () => {
        await balancer.stop()
        await created.drop()
      })
      await balancer.add(startFrom(old, url))
      const token = await logInRoot(url, balancer, old)
      const actors = createActors({ count: 16, balancer, token, random: createRandom(seed + 1) })

      // The old release alone, and the upgrade of its database while it works.
      const first = actors.run(1_000)
      const migrated = await runCommand(['migrate'], { cwd: folder, env: env(url), main })
      assert.deepEqual([migrated.code, migrated.stderr], [0, ''])
      assert.match(migrated.stdout, /ran 9999-made-up/)
      await first

      await balancer.add(startFrom(main, url))
      for (let round = 0; round < 9; round++) {
        const running = actors.run(1_000)
        await balancer.restart(round % 2)
        await running
      }
      const { restarts } = balancer
      report(actors.told, { restarts })
    })

    it('if a migration needs a newer release, old servers cannot write or restart', async (t) => {
      const created = await createTestDatabase()
      assert.ok(created)
      const { url } = created
      const main = addMigration(copyWorkingTree(join(folder, 'contracting')), 'contracts')
      const options = { cwd: folder, env: env(url) }
      const running = await startServer({ ...options, main: old })
      t.after(async () => {
        await running.stop()
        await created.drop()
      })
      const ready = await fetch(`${running.url}/readyz`)
      assert.equal(ready.status, 200)

      const migrating = runCommand(['migrate'], { ...options, main })
      const { send } = overHttp(running)
      const form = { username: 'nobody', password: rootPassword }
      const statuses = new Set<number>()
      const migration = { isOver: false }
      void migrating.finally(() => (migration.isOver = true))
      while (!migration.isOver) statuses.add((await send('POST', '/token', { form })).status)
      const { code, stdout, stderr } = await migrating
      assert.deepEqual([code, stdout.includes('ran 9999-made-up')], [0, true], stderr)
      assert.match(stderr, /servers without the migration 9999 stop writing/)
      assert.deepEqual([...statuses], [400, 503])

      const unready = await fetch(`${running.url}/readyz`)
      assert.equal(unready.status, 503)
      assert.match(await unready.text(), /a newer release has changed the tables/)
      assert.match(running.stderr(), /needs schema 9999, and this release has schema \d+/)
      await running.stop()
      await assert.rejects(
        startServer({ ...options, main: old }),
        /ended with 1: .*needs schema 9999, and this release .* Fix: install @keystile\/server/,
      )
      await (await startServer({ ...options, main })).stop()
    })
  },
)
