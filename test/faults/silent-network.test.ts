// The network between Keystile and PostgreSQL drops all packets, without a word to either side. Both
// are in different network namespaces, so this is the kernel's own TCP.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { password } from '../../packages/server/test-support/keystile.ts'
import {
  createTestDatabase,
  howToGetPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { startAwayProcess } from './away-process.ts'

const run = (...[program = '', ...args]: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

function findObstacle(): string | false {
  if (!process.env['KEYSTILE_LONG']) return 'KEYSTILE_LONG=1 runs it'
  if (!process.env['KEYSTILE_TEST_DATABASE_URL']) return `no PostgreSQL: ${howToGetPostgres}`
  try {
    run('ip', 'netns', 'add', 'kstrial')
    return false
  } catch {
    return 'it needs root and iproute2, for network namespaces'
  } finally {
    try {
      run('ip', 'netns', 'del', 'kstrial')
    } catch {}
  }
}

const namespace = 'ksaway'
const here = '198.51.100.1'
const port = 5_432

/** Opens a link between this namespace and a new one, for the connections to PostgreSQL. */
function openLink(t: TestContext): { cut(): void; heal(): void } {
  const inside = (...args: readonly string[]): string =>
    run('ip', 'netns', 'exec', namespace, ...args)
  run('ip', 'netns', 'add', namespace)
  t.after(() => run('ip', 'netns', 'del', namespace)) // the link ends with it
  run('ip', 'link', 'add', 'ksaway0', 'type', 'veth', 'peer', 'name', 'ksaway1', 'netns', namespace)
  run('ip', 'addr', 'add', `${here}/30`, 'dev', 'ksaway0')
  run('ip', 'link', 'set', 'ksaway0', 'up')
  inside('ip', 'addr', 'add', '198.51.100.2/30', 'dev', 'ksaway1')
  for (const link of ['lo', 'ksaway1']) inside('ip', 'link', 'set', link, 'up')
  // All packets go to a machine that does not exist. Nothing reports that to their senders.
  const nowhere = ['lladdr', '02:00:00:00:00:01', 'nud', 'permanent']
  const toOther = [here, 'dev', 'ksaway1'] as const
  const back = ['198.51.100.2', 'dev', 'ksaway0'] as const
  return {
    cut() {
      inside('ip', 'neigh', 'replace', ...toOther, ...nowhere)
      run('ip', 'neigh', 'replace', ...back, ...nowhere)
    },
    heal() {
      inside('ip', 'neigh', 'del', ...toOther)
      run('ip', 'neigh', 'del', ...back)
    },
  }
}

/** Passes the connections of the link on to PostgreSQL, which listens on the loopback only. */
async function forward(t: TestContext, target: URL): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.pipe(upstream).pipe(client)
  }).listen(port, here)
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = new URL(target)
  url.host = `${here}:${port}`
  return url.href
}

describe('a network that drops all packets to PostgreSQL', { skip: findObstacle() }, () => {
  for (const seconds of [3, 20]) {
    it(`logins get 503 while PostgreSQL is silent (${seconds} s), and then succeed`, async (t) => {
      const database = await createTestDatabase()
      assert.ok(database, howToGetPostgres)
      t.after(() => database.drop())
      const link = openLink(t)
      const keystile = await startAwayProcess(await forward(t, new URL(database.url)), {
        execPath: 'ip',
        execArgv: ['netns', 'exec', namespace, process.execPath, '--conditions=source'],
      })
      t.after(() => keystile.kill())
      const json = { username: 'ada', email: 'ada@example.com', password }
      assert.equal((await keystile.send('POST', '/users', { json })).status, 201)
      const login = () => keystile.send('POST', '/token', { form: { username: 'ada', password } })
      const { status, json: tokens } = await login()
      assert.equal(status, 200)
      const bearer = String(tokens['access_token'])
      const guard = () => keystile.send('GET', '/users/me', { bearer })

      link.cut()
      const cutAt = performance.now()
      const logins: number[] = []
      const guarded: number[] = []
      let staleAt: number | undefined
      while (performance.now() - cutAt < seconds * 1000) {
        const refused = await login()
        assert.equal(refused.status, 503)
        logins.push(refused.milliseconds)
        const answer = await guard()
        assert.ok(answer.status === 200 || answer.status === 503, String(answer.status))
        if (answer.status === 503) {
          staleAt ??= performance.now() - cutAt
          guarded.push(answer.milliseconds)
        }
      }

      link.heal()
      const healedAt = performance.now()
      const backAfter = async (ask: typeof login): Promise<number> => {
        while ((await ask()).status !== 200);
        return Math.round(performance.now() - healedAt)
      }
      const [loginBack, guardBack] = [await backAfter(login), await backAfter(guard)]
      console.log(
        `${seconds} s of silence: first login ${logins[0]} ms, the ${logins.length - 1} others at ` +
          `most ${Math.max(...logins.slice(1))} ms; guards accept for ${Math.round(staleAt ?? 0)} ` +
          `ms, then refuse within ${Math.max(0, ...guarded)} ms; the next login succeeds after ` +
          `${loginBack} ms, the next guarded request after ${guardBack} ms`,
      )
    })
  }
})
