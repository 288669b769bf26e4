// Runs in the copy of the source that has the probe, on both databases.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createKeystile } from '@keystile/server'
import {
  freePort,
  runCommand,
  startServer,
  type Finished,
} from '../../packages/server/test-support/command.ts'
import {
  createTestClock,
  describeOnBoth,
  key,
  password,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import {
  createTestDatabase,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'

const daySeconds = 24 * 60 * 60
const noPostgres = process.env['KEYSTILE_TEST_DATABASE_URL'] === undefined

/** A stand-alone server and the commands of its operator. */
interface StandAlone {
  /** Returns the status and the body of an answer of the server. */
  ask(path: string, options?: RequestInit): Promise<readonly [status: number, body: string]>
  run(...args: readonly string[]): Promise<Finished>
}

async function withServer(
  database: TestDatabase | undefined,
  work: (server: StandAlone) => Promise<void>,
): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'keystile-probe-'))
  const port = await freePort()
  const env = {
    KEYSTILE_PORT: String(port),
    ...(database && {
      KEYSTILE_DATABASE: database.url,
      KEYSTILE_KEY: key,
      KEYSTILE_ISSUER: `http://localhost:${port}`,
    }),
  }
  const server = await startServer({ cwd, env, port })
  try {
    await work({
      async ask(path, options) {
        const answer = await fetch(server.url + path, options)
        return [answer.status, await answer.text()]
      },
      run: (...args) => runCommand(args, { cwd, env }),
    })
  } finally {
    await server.stop()
    await database?.drop()
    rmSync(cwd, { recursive: true })
  }
}

describe('the new feature in a stand-alone server', () => {
  for (const kind of ['SQLite', 'PostgreSQL'] as const) {
    it(
      `all parts of the new feature work on ${kind}`,
      { skip: kind === 'PostgreSQL' && noPostgres },
      async () => {
        const database = kind === 'PostgreSQL' ? await createTestDatabase() : undefined
        await withServer(database, async ({ ask, run }) => {
          const login = async (): Promise<string> => {
            const [, body] = await ask('/token', {
              method: 'POST',
              body: new URLSearchParams({ username: 'ada', password }),
            })
            return JSON.parse(body).access_token as string
          }
          const probe = (token?: string): ReturnType<typeof ask> =>
            ask('/probes', {
              method: 'POST',
              headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
            })

          // The route: its document, its guard, its table, its transaction and its rate limit.
          const headers = { 'content-type': 'application/json' }
          const ada = JSON.stringify({ username: 'ada', email: 'ada@example.com', password })
          assert.equal((await ask('/users', { method: 'POST', headers, body: ada }))[0], 201)
          assert.equal((await probe())[0], 401)
          assert.equal((await probe(await login()))[0], 403)
          assert.equal((await run('user', 'grant', 'ada', '--scope', 'users:read')).code, 0)
          const token = await login()
          assert.deepEqual(await probe(token), [200, '{"count":1}'])
          assert.deepEqual(await probe(token), [200, '{"count":2}'])
          assert.equal((await probe(token))[0], 429)
          const { paths } = JSON.parse((await ask('/openapi.json'))[1])
          const statuses = Object.keys(paths['/probes'].post.responses)
          for (const status of ['200', '401', '403', '429'])
            assert.ok(statuses.includes(status), status)

          // What operators see.
          assert.match((await ask('/metrics'))[1], /^keystile_probes_total 2$/m)
          const commands = [
            run('audit', '--json'),
            run('probe', 'count'),
            run('doctor', '--probe-seconds', '60'),
          ]
          const [audit, count, doctor] = await Promise.all(commands)
          assert.equal(audit?.stdout.match(/"event":"probe_made"/g)?.length, 2)
          assert.equal(count?.stdout, '2 probes\n')
          assert.match(
            doctor?.stdout ?? '',
            /^warn {2}probe-kept \(none\)\n {6}--probe-seconds is 60/m,
          )
        })
      },
    )
  }
})

async function untilNoProbeIsLeft(stage: Stage): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [row] = await stage.sql('select count(*) as number from probe')
    if (Number(row?.['number']) === 0) return
    await pause(50)
  }
  assert.fail('the probes are still there')
}

describeOnBoth('the feature', (stage) => {
  it('the new feature deletes rows when they are older than its setting allows', async () => {
    const clock = createTestClock()
    const { keystile, send, tokens, setScopes } = await stage.start({ clock })
    await setScopes((await tokens('ada')).subject, ['users:read'])
    await send('POST', '/probes', { bearer: (await tokens('ada')).accessToken })
    assert.equal(
      Number((await stage.sql('select count(*) as number from probe'))[0]?.['number']),
      1,
    )

    clock.advance(daySeconds + 1)
    await keystile.close() // one process at a time deletes expired rows
    await stage.start({ clock })
    await untilNoProbeIsLeft(stage)
  })
})

describe('the setting of the new feature', () => {
  it('the new setting is an option of createKeystile, which refuses a wrong value', async () => {
    const options = { issuer: 'http://localhost:3000', database: ':memory:', probeSeconds: 1 }
    await assert.rejects(createKeystile(options), /probeSeconds must be at least 60; it is 1/)
  })
})

describeOnBoth('the grant', (stage) => {
  it('the token endpoint, the metadata and the clients know the new grant', async () => {
    const { send, addClient } = await stage.start()
    const grantType = 'urn:example:probe'
    const client = await addClient({ grants: [grantType] })
    const form = { ...client, grant_type: grantType, weekday: 'monday' }
    assert.equal((await send('POST', '/token', { form })).status, 200)

    const { status, json } = await send('POST', '/token', {
      form: { ...client, grant_type: grantType },
    })
    assert.deepEqual([status, json['error']], [400, 'invalid_request'])

    const metadata = await send('GET', '/.well-known/oauth-authorization-server')
    assert.ok(metadata.json['grant_types_supported'].includes(grantType))
  })
})

describeOnBoth('the credential scheme', (stage) => {
  it('the new credential scheme opens a guarded route, and so does Bearer', async () => {
    const { send, tokens } = await stage.start()
    const { accessToken } = await tokens('ada')
    for (const scheme of ['Probe', 'Bearer']) {
      const headers = { authorization: `${scheme} ${accessToken}` }
      for (const _ of ['slow', 'fast'])
        assert.equal((await send('GET', '/users/me', { headers })).status, 200, scheme)
    }
    assert.equal(
      (await send('GET', '/users/me', { headers: { authorization: 'Probe no.token' } })).status,
      401,
    )
  })
})
