// Backups of a server under load. Each backup has everything that the server had confirmed before
// the backup began, and a server starts from it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import {
  runCommand,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { issuer, key, readAnswer, tokensOf } from '../../packages/server/test-support/keystile.ts'
import type { Answer, Tokens } from '../../packages/server/test-support/keystile.ts'
import { startPostgres, type TestPostgres } from '../../packages/server/test-support/postgres.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const backups = isLong ? 20 : 2
const clients = isLong ? 8 : 3
/** How many changes the server confirms between two backups. */
const changesBetween = isLong ? 100 : 15
const password = 'correct horse battery staple'

/** A change that the server has confirmed: the row that must be in a backup. */
interface Fact {
  readonly table: 'user' | 'session' | 'refresh_token' | 'ended session'
  readonly id: string
}

/** Clients that register, log in, refresh and log out until they are stopped. */
interface Load {
  /** In the order in which the server confirmed them. */
  readonly facts: readonly Fact[]
  readonly usernames: readonly string[]
  /** The times that requests took, in milliseconds. `slowest()` starts the next measurement. */
  slowest(): number
  untilFacts(count: number): Promise<void>
  stop(): Promise<void>
}

async function send(url: string, path: string, init: RequestInit): Promise<Answer> {
  const answer = await readAnswer(await fetch(`${url}/auth${path}`, init))
  if (answer.status !== 503) return answer
  await wait(50) // the server refuses a login that cannot begin soon
  return send(url, path, init)
}

const post = (url: string, path: string, form: Record<string, string>): Promise<Answer> =>
  send(url, path, { method: 'POST', body: new URLSearchParams(form) })

function startLoad(url: string): Load {
  const facts: Fact[] = []
  const usernames: string[] = []
  let slowest = 0
  const state = { isOver: false }

  async function timed(work: Promise<Answer>, status: number): Promise<Answer> {
    const startedAt = performance.now()
    const answer = await work
    slowest = Math.max(slowest, performance.now() - startedAt)
    assert.equal(answer.status, status, answer.text)
    return answer
  }

  function confirm({ sessionId, refreshToken }: Tokens): Tokens['refreshToken'] {
    facts.push({ table: 'session', id: sessionId })
    facts.push({ table: 'refresh_token', id: refreshToken.split('.')[0] ?? '' })
    return refreshToken
  }

  async function client(n: number): Promise<void> {
    for (let round = 0; !state.isOver; round++) {
      const username = `user-${n}-${round}`
      const body = JSON.stringify({ username, email: `${username}@example.com`, password })
      const headers = { 'content-type': 'application/json' }
      const user = await timed(send(url, '/users', { method: 'POST', headers, body }), 201)
      facts.push({ table: 'user', id: String(user.json['id']) })
      usernames.push(username)

      const login = await timed(post(url, '/token', { username, password }), 200)
      const { sessionId } = tokensOf(login.json)
      let refreshToken = confirm(tokensOf(login.json))
      for (let i = 0; i < 3; i++) {
        const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
        refreshToken = confirm(tokensOf((await timed(post(url, '/token', form), 200)).json))
      }
      if (round % 2 === 1) continue
      await timed(post(url, '/revoke', { token: refreshToken }), 200)
      facts.push({ table: 'ended session', id: sessionId })
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, n) => client(n)))
  return {
    facts,
    usernames,
    slowest() {
      const measured = slowest
      slowest = 0
      return measured
    },
    async untilFacts(count) {
      while (facts.length < count) await Promise.race([running, wait(5)])
    },
    async stop() {
      state.isOver = true
      await running
    },
  }
}

/** The queries for the ids of all rows that a fact can be about. */
const idsOf: Readonly<Record<Fact['table'], string>> = {
  user: 'select id from "user"',
  session: 'select id from session',
  refresh_token: 'select id from refresh_token',
  'ended session': 'select id from session where ended_at is not null',
}

async function assertHolds(
  facts: readonly Fact[],
  ask: (text: string) => Promise<readonly { readonly id?: unknown }[]>,
): Promise<void> {
  for (const [table, text] of Object.entries(idsOf)) {
    const ids = new Set((await ask(text)).map(({ id }) => id))
    const missing = facts.filter((fact) => fact.table === table && !ids.has(fact.id))
    assert.deepEqual(missing, [])
  }
}

/** Asserts that users who registered before the backup log in. */
async function assertLogsIn(server: RunningServer, usernames: readonly string[]): Promise<void> {
  for (const username of [usernames[0], usernames.at(-1)]) {
    const { status, text } = await post(server.url, '/token', { username: username!, password })
    assert.equal(status, 200, text)
  }
}

/** What a test prints about its backups. */
function report(name: string, measured: readonly Record<string, number>[]): void {
  if (!isLong) return
  const show = (value: number): string => value.toFixed(0)
  for (const member of Object.keys(measured[0] ?? {})) {
    const values = measured.map((one) => one[member] ?? 0).toSorted((a, b) => a - b)
    const median = values[Math.floor(values.length / 2)] ?? 0
    console.log(`${name}: ${member}: median ${show(median)}, max ${show(values.at(-1) ?? 0)}`)
  }
}

// In short, `test/cli/backup.test.ts` makes backups.
const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'

describe('backups under load', { skip, concurrency: 1 }, () => {
  let cwd: string
  before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-backups-'))))
  after(() => rmSync(cwd, { recursive: true }))

  it(`${backups} SQLite backups have all confirmed changes, and servers use them`, async () => {
    const envOf = (folder: string): Record<string, string> => ({
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_RATE_LIMITS: 'off',
      KEYSTILE_DATABASE: join(cwd, folder, 'keystile.db'),
    })
    const measured: Record<string, number>[] = []
    const confirmed: { readonly facts: readonly Fact[]; readonly usernames: readonly string[] }[] =
      []
    const server = await startServer({ cwd, env: envOf('first') })
    const load = startLoad(server.url)
    try {
      for (let n = 0; n < backups; n++) {
        await load.untilFacts(load.facts.length + changesBetween)
        const slowestBefore = load.slowest()
        confirmed.push({ facts: [...load.facts], usernames: [...load.usernames] })
        const args = ['backup', join(cwd, `${n}.db`), '--json']
        const startedAt = performance.now()
        const { code, stderr } = await runCommand(args, { cwd, env: envOf('first') })
        assert.deepEqual([stderr, code], ['', 0])
        measured.push({
          'milliseconds of the command': performance.now() - startedAt,
          'slowest request before it (ms)': slowestBefore,
          'slowest request during it (ms)': load.slowest(),
          'bytes of the backup': statSync(join(cwd, `${n}.db`)).size,
          'confirmed changes': load.facts.length,
        })
      }
    } finally {
      await load.stop().finally(() => server.stop())
    }
    report('SQLite', measured)

    for (const [n, { facts, usernames }] of confirmed.entries()) {
      const copy = new DatabaseSync(join(cwd, `${n}.db`), { readOnly: true })
      assert.equal(copy.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok')
      await assertHolds(facts, async (text) => copy.prepare(text).all())
      copy.close()
      if (!isLong && n < backups - 1) continue

      const env = envOf(`restored-${n}`)
      mkdirSync(join(cwd, `restored-${n}`))
      const keyFile = 'keystile.key'
      copyFileSync(join(cwd, 'first', keyFile), join(cwd, `restored-${n}`, keyFile))
      const restored = await runCommand(['restore', join(cwd, `${n}.db`)], { cwd, env })
      assert.equal(restored.code, 0, restored.stderr)
      const next = await startServer({ cwd, env })
      await assertLogsIn(next, usernames).finally(() => next.stop())
    }
  })

  describe('on PostgreSQL', { skip: !isLong && 'KEYSTILE_LONG=1 runs it' }, () => {
    let postgres: TestPostgres | undefined
    before(async () => void (postgres = await startPostgres({ hasClients: true })))
    after(() => postgres?.stop())

    it(`${backups} pg_dump dumps have all confirmed changes, and servers use them`, async (t) => {
      if (!postgres?.bin) {
        assert.notEqual(process.env['CI'], 'true', 'CI must not skip tests: install postgresql')
        return t.skip('no pg_dump: install postgresql')
      }
      const { url, bin } = postgres
      const envOf = (database: string): Record<string, string> => ({
        KEYSTILE_ISSUER: issuer,
        KEYSTILE_RATE_LIMITS: 'off',
        KEYSTILE_KEY: key,
        KEYSTILE_DATABASE: url.replace(/postgres$/, database),
        PATH: `${bin}:${process.env['PATH']}`,
      })
      const query = async (
        database: string,
        text: string,
      ): Promise<readonly { id?: unknown }[]> => {
        const client = new pg.Client({
          connectionString: url.replace(/postgres$/, database),
          options: '-c search_path=keystile',
        })
        await client.connect()
        return client
          .query(text)
          .then(({ rows }) => rows)
          .finally(() => client.end())
      }
      /** Runs the command that `keystile backup` or `keystile restore` names. */
      const runNamed = async (verb: string, database: string, file: string): Promise<void> => {
        const { stderr } = await runCommand([verb, file], { cwd, env: envOf(database) })
        const command = /run {2}(pg_.*?) {2}/.exec(stderr)?.[1]
        assert.ok(command, stderr)
        const shell = command.replace(/\bFILE\b/, file)
        await promisify(execFile)('sh', ['-c', shell], { env: envOf(database), cwd })
      }

      await query('postgres', 'create database first')
      const measured: Record<string, number>[] = []
      const confirmed: {
        readonly facts: readonly Fact[]
        readonly usernames: readonly string[]
      }[] = []
      const server = await startServer({ cwd, env: envOf('first') })
      const load = startLoad(server.url)
      try {
        for (let n = 0; n < backups; n++) {
          await load.untilFacts(load.facts.length + changesBetween)
          confirmed.push({ facts: [...load.facts], usernames: [...load.usernames] })
          const slowestBefore = load.slowest()
          await runNamed('backup', 'first', `${n}.dump`)
          measured.push({
            'slowest request before it (ms)': slowestBefore,
            'slowest request during it (ms)': load.slowest(),
            'bytes of the dump': statSync(join(cwd, `${n}.dump`)).size,
            'confirmed changes': load.facts.length,
          })
        }
      } finally {
        await load.stop().finally(() => server.stop())
      }
      report('PostgreSQL', measured)

      for (const [n, { facts, usernames }] of confirmed.entries()) {
        const database = `restored_${n}`
        await query('postgres', `create database ${database}`)
        await runNamed('restore', database, `${n}.dump`)
        await assertHolds(facts, (text) => query(database, text))
        const finished = await runCommand(['finish-restore'], { cwd, env: envOf(database) })
        assert.equal(finished.code, 0, finished.stderr)
        const next = await startServer({ cwd, env: envOf(database) })
        await assertLogsIn(next, usernames).finally(() => next.stop())
      }
    })
  })
})
