// A server on a simulated disk: SQLite waits for the disk before each answer, and survives a disk
// that fails or is full. After each answer, the test looks at what a power failure would leave.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import {
  issuer,
  key,
  password,
  readAnswer,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { createDisk, noDisk, openStored, type SimulatedDisk } from './disk.ts'
import { createRandom } from './random.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
/** The number of registrations in each phase of a test. */
const registrations = isLong ? 30 : 3

const skip = isLong ? (noDisk ?? false) : 'KEYSTILE_LONG=1 runs it'

describe('a server on a simulated disk', { skip }, () => {
  let parent: string
  let disk: SimulatedDisk
  let server: RunningServer
  /** The confirmed registrations, and what the disk had recorded when the answer arrived. */
  let confirmed: { readonly username: string; readonly recorded: number }[]
  let count = 0

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'keystile-disk-'))
    disk = createDisk(parent)
    confirmed = []
    await start()
  })
  afterEach(async () => {
    await server.stop('SIGKILL')
    rmSync(parent, { recursive: true })
  })

  async function start(): Promise<void> {
    const env = {
      ...disk.env,
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_KEY: key,
      KEYSTILE_DATABASE: join(disk.folder, 'keystile.db'),
      KEYSTILE_RATE_LIMITS: 'off',
    }
    server = await startServer({ cwd: parent, env })
  }

  const send = async (path: string, init: RequestInit = {}): Promise<Answer> =>
    readAnswer(await fetch(`${server.url}/auth${path}`, init))

  async function register(): Promise<Answer> {
    const username = `user-${count++}`
    const body = JSON.stringify({ username, email: `${username}@example.com`, password })
    const headers = { 'content-type': 'application/json' }
    const answer = await send('/users', { method: 'POST', headers, body })
    if (answer.status === 201) confirmed.push({ username, recorded: disk.recorded })
    return answer
  }

  /** Registers users, three at a time, so that registrations share commits. */
  async function registerMany(status: number): Promise<void> {
    for (let left = registrations; left > 0; left -= 3)
      for (const answer of await Promise.all([register(), register(), register()]))
        assert.equal(answer.status, status, answer.text)
  }

  const logIn = async (): Promise<Answer> =>
    send('/token', {
      method: 'POST',
      body: new URLSearchParams({ username: confirmed[0]?.username ?? '', password }),
    })

  function assertUnavailable({ status, headers, text }: Answer): void {
    assert.deepEqual([status, headers.get('retry-after')], [503, '1'], text)
  }

  /**
   * For each confirmed registration: what would a power failure have left, right after the answer?
   * All registrations that were confirmed until then must be there, whichever of the other pages
   * the operating system has stored by itself.
   */
  function assertNothingLost(): void {
    const [replay, random] = [disk.replay(), createRandom(5)]
    const left = join(parent, 'left')
    const names: string[] = []
    for (const { username, recorded } of confirmed.toSorted((a, b) => a.recorded - b.recorded)) {
      names.push(username)
      replay.continueTo(recorded)
      for (const isStored of [() => false, () => random(2) === 0]) {
        replay.writeTo(left, isStored)
        const [stored, integrity] = openStored(left, 'keystile.db', (sqlite) => [
          sqlite
            .prepare('select username from "user"')
            .all()
            .map((row) => row['username']),
          sqlite.prepare('pragma integrity_check').get()?.['integrity_check'],
        ])
        assert.equal(integrity, 'ok')
        assert.deepEqual(
          names.filter((name) => !stored.includes(name)),
          [],
        )
      }
    }
    assert.ok(replay.syncs > 0)
  }

  it('no registration is confirmed before the disk has stored it', async () => {
    disk.set('slow 5000')
    await registerMany(201)
    assertNothingLost()
  })

  it('while fsync fails, writes get 503; when fsync works again, writes succeed', async () => {
    await register()
    const { json } = await logIn()
    for (const state of ['fail', 'works', 'fail', 'works'] as const) {
      disk.set(state)
      await registerMany(state === 'fail' ? 503 : 201)
      if (state === 'fail') assertUnavailable(await logIn())
      const headers = { authorization: `Bearer ${json['access_token']}` }
      assert.equal((await send('/users/me', { headers })).status, 200, 'guards go on')
    }
    assert.match(server.stderr(), /the disk with the SQLite file fails \(SQLite: .*, code 1034\)/)
    assertNothingLost()
    const replay = disk.replay()
    replay.continueTo(disk.recorded)
    assert.ok(replay.failedSyncs > 0)
  })

  it('after a failed fsync and a crash, no user is lost, and registrations succeed', async () => {
    await registerMany(201)
    disk.set('fail')
    await registerMany(503)
    await server.stop('SIGKILL')
    disk.set('works')
    await start()
    await registerMany(201)
    assertNothingLost()
  })

  it('writes get 503 while the disk is full, and succeed once it has space again', async () => {
    await registerMany(201)
    const { json } = await logIn()
    disk.set('full')
    // The write-ahead log has some room left.
    let refused = await register()
    while (refused.status === 201) refused = await register()
    assertUnavailable(refused)
    assertUnavailable(await logIn())
    const headers = { authorization: `Bearer ${json['access_token']}` }
    assert.equal((await send('/users/me', { headers })).status, 200, 'guards go on')
    assert.match(server.stderr(), /the disk with the SQLite file is full .*Fix: free some space/)

    disk.set('works')
    await registerMany(201)
    assertNothingLost()
    assert.doesNotMatch(server.stderr(), /"msg":"failed"/)
  })
})

const noNamespace =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root can mount a tmpfs'
const skipTmpfs = isLong ? noNamespace : 'KEYSTILE_LONG=1 runs it'

describe('a server on a small file system', { skip: skipTmpfs }, () => {
  it('writes get 503 while a real file system is full, and succeed once it has space', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-tmpfs-'))
    const mount = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'
    const server = await startServer({
      cwd: folder,
      env: {
        KEYSTILE_ISSUER: issuer,
        KEYSTILE_KEY: key,
        KEYSTILE_DATABASE: join(folder, 'keystile.db'),
        KEYSTILE_RATE_LIMITS: 'off',
      },
      wrapper: ['unshare', '--mount', 'sh', '-c', mount, folder],
    })
    // The folder as the server sees it.
    const within = join('/proc', String(server.child.pid), 'root', folder)
    let count = 0
    const register = async (): Promise<number> => {
      const username = `user-${count++}`
      const body = JSON.stringify({ username, email: `${username}@example.com`, password })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${server.url}/auth/users`, { method: 'POST', headers, body })).status
    }
    try {
      assert.equal(await register(), 201)
      for (let round = 0; round < 3; round++) {
        fill(join(within, 'ballast'))
        let status = await register()
        while (status === 201) status = await register()
        assert.equal(status, 503)
        rmSync(join(within, 'ballast'))
        assert.equal(await register(), 201)
      }
      assert.match(server.stderr(), /the disk with the SQLite file is full/)
      const [row] = openStored(within, 'keystile.db', (sqlite) =>
        sqlite.prepare('pragma integrity_check').all(),
      )
      assert.equal(row?.['integrity_check'], 'ok')
    } finally {
      await server.stop('SIGKILL')
      rmSync(folder, { recursive: true })
    }
  })
})

/** Writes into a file until its file system is full. */
function fill(file: string): void {
  for (const bytes of [Buffer.alloc(65_536), Buffer.alloc(512)])
    try {
      for (;;) appendFileSync(file, bytes)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
}
