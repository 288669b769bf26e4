// PostgreSQL on a simulated disk: what Keystile confirms is stored, and an error of the disk becomes
// 503 until PostgreSQL works again.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import {
  key,
  startKeystile,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  howToGetPostgres,
  startPostgres,
  type TestPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { createDisk, noDisk, readRecords, type SimulatedDisk } from './disk.ts'

const skip = process.env['KEYSTILE_LONG'] ? (noDisk ?? false) : 'KEYSTILE_LONG=1 runs it'

describe('PostgreSQL on a simulated disk', { skip, timeout: 600_000 }, () => {
  let parent: string
  let disk: SimulatedDisk
  let postgres: TestPostgres
  let started: TestKeystile
  let count = 0
  let confirmed: string[]

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'keystile-disk-'))
    disk = createDisk(parent)
    confirmed = []
    const { LD_PRELOAD: _, ...env } = disk.env
    const options = { durable: true, preload: disk.library, env, parent: disk.folder }
    const server = await startPostgres(options)
    assert.ok(server, howToGetPostgres)
    postgres = server
    started = await startKeystile({ database: postgres.url, key })
  })
  afterEach(async () => {
    disk.set('works')
    await started.keystile.close()
    await postgres.stop()
    rmSync(parent, { recursive: true })
  })

  async function register(): Promise<Answer> {
    const username = `user-${count++}-of-the-disk`
    const answer = await started.register({ username, email: `${username}@example.com` })
    if (answer.status === 201) confirmed.push(username)
    return answer
  }

  /** Registers a user, with a new try for each 503. Starts PostgreSQL again if it has ended. */
  async function registerInTheEnd(): Promise<void> {
    for (let status = 503; status !== 201; await wait(50)) {
      await postgres.startAgain()
      status = (await register()).status
      assert.ok(status === 201 || status === 503, String(status))
    }
  }

  async function assertNothingLost(): Promise<void> {
    const client = new pg.Client(postgres.url)
    await client.connect()
    const { rows } = await client.query('select username from keystile.user')
    await client.end()
    const stored = new Set(rows.map(({ username }) => username))
    assert.deepEqual(
      confirmed.filter((username) => !stored.has(username)),
      [],
    )
  }

  it('no registration is confirmed before PostgreSQL has stored it', async () => {
    disk.set('slow 5000')
    for (let n = 0; n < 30; n++) {
      const from = disk.recorded
      assert.equal((await register()).status, 201)
      const username = confirmed.at(-1) ?? ''
      const records = [...readRecords(disk.log, from, disk.recorded)]
      const written = records.findIndex(
        ([kind, name, [, bytes]]) =>
          kind === 'W' && name.includes('/pg_wal/') && bytes?.includes(username),
      )
      assert.ok(written >= 0, 'the log of PostgreSQL must contain the name')
      const file = records[written]?.[1]
      const later = records.slice(written + 1).filter(([, name]) => name === file)
      const begun = later.findIndex(([kind]) => kind === 'B')
      assert.ok(begun >= 0 && later.slice(begun).some(([kind]) => kind === 'S'))
    }
  })

  it('while PostgreSQL’s fsync fails, writes get 503, and no confirmed write is lost', async () => {
    for (let round = 0; round < 3; round++) {
      await registerInTheEnd()
      disk.set('fail')
      for (let n = 0; n < 10; n++) {
        const { status, headers } = await register()
        assert.deepEqual([status, headers.get('retry-after')], [503, '1'])
      }
      disk.set('works')
    }
    await registerInTheEnd()
    await assertNothingLost()
  })

  it('writes get 503 while PostgreSQL’s disk is full, and succeed once it has space', async () => {
    await register()
    const bearer = await started.accessToken(confirmed[0])
    disk.set('full')
    let refused = await register()
    while (refused.status === 201) refused = await register()
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
    assert.equal((await started.send('GET', '/users/me', { bearer })).status, 200)
    disk.set('works')
    await registerInTheEnd()
    await assertNothingLost()
  })
})
