import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { after, afterEach, before, describe, it } from 'node:test'
import { randomRowId } from 'keystile/internal'
import pg from 'pg'
import {
  callCommand,
  freePort,
  runCommand,
  startCommand,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'

const password = 'an engine of her own'
const noPostgres =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`

/** A line of `--json`. */
type Line = Readonly<Record<string, unknown>>

for (const kind of ['SQLite', 'PostgreSQL'] as const) {
  describe(`keystile audit on ${kind}`, { skip: kind === 'PostgreSQL' && noPostgres }, () => {
    let cwd: string
    let postgres: TestDatabase | undefined
    let server: RunningServer
    let env: Record<string, string>
    let subject: string
    const ended: (() => Promise<unknown>)[] = []
    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'keystile-audit-'))
      writeFileSync(join(cwd, 'password'), password, { mode: 0o600 })
      const port = String(await freePort())
      env = { PORT: port, KEYSTILE_ISSUER: `http://localhost:${port}` }
      if (kind === 'PostgreSQL') {
        postgres = await createTestDatabase()
        assert.ok(postgres, howToGetPostgres)
        env = {
          ...env,
          DATABASE_URL: postgres.url,
          KEYSTILE_KEY: 'a sealing key for tests: 0123456789 abcdef',
        }
      }
      server = await startServer({ cwd, env, port: Number(env['PORT']) })
      const created = await callCommand(
        ['user', 'create', 'ada', '--role', 'admin', '--password-file', 'password'],
        {
          cwd,
          env,
        },
      )
      subject = /\(([\w-]{22})\)/.exec(created.stdout)![1]!
      assert.equal((await login()).status, 200)
      assert.equal((await login('wrong')).status, 400)
    })
    afterEach(async () => {
      for (const end of ended.splice(0)) await end()
    })
    after(async () => {
      await server.stop()
      await postgres?.drop()
      rmSync(cwd, { recursive: true })
    })

    const audit = (...args: string[]): Promise<Finished> =>
      callCommand(['audit', ...args], { cwd, env })
    const login = (tried = password): Promise<Response> =>
      fetch(`${server.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'ada', password: tried }),
      })
    const linesOf = (stdout: string): readonly Line[] =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    /** Follows the audit record; `next` returns one line at a time. */
    const follow = async (
      ...args: string[]
    ): Promise<{ next(): Promise<Line>; stop(): Promise<number | null> }> => {
      const child = startCommand(['audit', '--follow', '--json', ...args], { cwd, env })
      const lines: Interface = createInterface({ input: child.stdout! })
      const iterator = lines[Symbol.asyncIterator]()
      const stop = async (): Promise<number | null> => {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGTERM')
          await once(child, 'exit')
        }
        return child.exitCode
      }
      ended.push(stop)
      return { next: async () => JSON.parse((await iterator.next()).value!) as Line, stop }
    }

    it('`keystile audit` prints who did what, and from where, the oldest line first', async () => {
      const { code, stdout, stderr } = await runCommand(['audit'], { cwd, env })
      assert.deepEqual([code, stderr], [0, ''])
      const rows = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'))
      assert.deepEqual(
        rows.map(([, event, actor, about, session, client, address, detail]) => [
          event,
          actor,
          about,
          session === '-',
          client,
          address === '-',
          detail,
        ]),
        [
          ['user_created', 'operator', subject, true, '-', true, '{"given":["role:admin"]}'],
          ['login', `user:${subject}`, subject, false, 'first-party', false, '-'],
          ['login_refused', 'nobody', subject, true, 'first-party', false, '-'],
        ],
      )
      for (const [at, , , , , , address] of rows.slice(1)) {
        assert.match(at!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.match(address!, /^(127\.0\.0\.1|::1)$/)
      }
    })

    it('`keystile audit` can print JSON, the last lines, or the lines of one subject', async () => {
      const last = linesOf((await audit('--json', '--limit', '1')).stdout)
      assert.deepEqual(
        last.map((line) => [Object.keys(line), line['event'], line['session_id'], line['detail']]),
        [
          [
            [
              'id',
              'at',
              'event',
              'actor',
              'subject',
              'session_id',
              'client_id',
              'address',
              'detail',
            ],
            'login_refused',
            null,
            null,
          ],
        ],
      )
      const all = linesOf((await audit('--json', '--subject', subject, '--since', '1h')).stdout)
      assert.deepEqual(
        all.map(({ event }) => event),
        ['user_created', 'login', 'login_refused'],
      )
      assert.deepEqual(all[0]!['detail'], { given: ['role:admin'] })
      const unknown = await audit('--subject', 'ada')
      assert.deepEqual([unknown.code, unknown.stdout], [0, ''])
      assert.equal(
        unknown.stderr,
        'keystile: the record has no entry about the subject ada. ' +
          'Fix: give the id of the user, which "keystile user list" shows\n',
      )
      assert.equal((await audit('--subject', subject)).stderr, '')
      for (const since of ['2100-01-01', '2100-01-01T00:00Z', '2100-01-01T00:00:00.5+01:00'])
        assert.equal((await audit('--since', since)).stdout, '')
      assert.equal(linesOf((await audit('--json', '--since', '2020-01-01')).stdout).length, 3)
    })

    it('`keystile audit` refuses a wrong --since or --limit and says what is allowed', async () => {
      for (const since of ['yesterday', '2026-11-25T12:00', '1', '-1h', '1y', '2026-13-01']) {
        const { code, stderr } = await audit(`--since=${since}`)
        assert.equal(code, 1, since)
        assert.match(stderr, /^keystile: --since must be a time such as/)
      }
      for (const limit of ['-1', '1.5', 'all', '']) {
        const { code, stderr } = await audit(`--limit=${limit}`)
        assert.equal(code, 1, limit)
        assert.match(stderr, /^keystile: --limit must be a whole number of lines/)
      }
      if (kind === 'SQLite')
        assert.match(
          (await audit('--database', 'data/mistyped.db')).stderr,
          /there is no data\/mistyped\.db/,
        )
    })

    it('until SIGTERM, `keystile audit --follow` prints what other processes record', async () => {
      const following = await follow('--limit', '1')
      assert.equal((await following.next())['event'], 'login_refused')
      await login()
      assert.equal((await following.next())['event'], 'login')
      await login('wrong')
      assert.equal((await following.next())['event'], 'login_refused')
      assert.equal(await following.stop(), 0)
    })

    it('`keystile audit` ends without an error if its output is closed', async () => {
      for (const args of [['--json'], ['--follow', '--limit', '1']]) {
        const child = startCommand(['audit', ...args], { cwd, env })
        let stderr = ''
        child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
        child.stdout!.destroy()
        const exited = once(child, 'exit')
        assert.deepEqual([(await exited)[0], stderr], [0, ''], args.join(' '))
      }
    })

    if (kind === 'PostgreSQL') {
      it('`keystile audit --follow` prints lines that are committed out of order', async () => {
        const late = new pg.Client({
          connectionString: postgres!.url,
          options: '-c search_path=keystile',
        })
        await late.connect()
        ended.push(() => late.end())
        await late.query('begin')
        const at = Date.now()
        const row = [randomRowId(at), at, 'login', 'app', 'held \u001b[31m\u202e up']
        await late.query(
          'insert into audit (id, at, event, actor, subject) values ($1, $2, $3, $4, $5)',
          row,
        )
        await login()
        const following = await follow('--limit', '1')
        assert.equal((await following.next())['actor'], `user:${subject}`)
        await login()
        assert.equal((await following.next())['actor'], `user:${subject}`)
        await late.query('commit')
        const line = await following.next()
        assert.deepEqual([line['id'], line['actor'], line['subject']], [row[0], 'app', row[4]])
      })

      it('`keystile audit` escapes control characters in the subject of a user', async () => {
        const { stdout } = await audit('--json', '--subject', 'held \u001b[31m\u202e up')
        const { stdout: columns } = await audit('--subject', 'held \u001b[31m\u202e up')
        for (const shown of [stdout, columns])
          assert.ok(shown.includes('held \\u001b[31m\\u202e up'), shown)
      })

      it('if PostgreSQL goes away, `keystile audit --follow` says which one, and a fix', async () => {
        const args = ['audit', '--follow', '--json', '--limit', '1']
        const child = startCommand(args, { cwd, env })
        let stderr = ''
        child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
        await once(child.stdout!, 'data')
        const closed = once(child, 'close')
        const name = new URL(postgres!.url).pathname.slice(1)
        const client = new pg.Client(process.env['KEYSTILE_TEST_DATABASE_URL'])
        await client.connect()
        await client.query(`alter database "${name}" allow_connections false`)
        try {
          await client.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query like '%audit%'",
            [name],
          )
          await closed
        } finally {
          await client.query(`alter database "${name}" allow_connections true`)
          await client.end()
        }
        assert.match(stderr, /^keystile: PostgreSQL at \S+: .*\. Fix: .*\n$/)
      })
    }
  })
}
