import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import {
  callCommand,
  freePort,
  runCommand,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { openReader } from '../../packages/server/test-support/revocation-reader.ts'

/** Characters that control a terminal or end a line. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

describe('keystile client', () => {
  let cwd: string
  /** Starts with the first test that needs it. */
  let server: RunningServer | undefined
  let env: Record<string, string>
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-client-'))
    const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
    writeFileSync(join(cwd, 'keystile.config.json'), JSON.stringify({ scopes }))
    env = { PORT: String(await freePort()) }
  })
  after(async () => {
    await server?.stop()
    server = undefined
    rmSync(cwd, { recursive: true })
  })

  const start = async (): Promise<RunningServer> =>
    (server ??= await startServer({ cwd, env, port: Number(env['PORT']) }))
  const client = (...args: string[]): Promise<Finished> =>
    callCommand(['client', ...args], { cwd, env })
  const secretOf = ({ stdout, stderr, code }: Finished): string => {
    assert.deepEqual([code, stderr], [0, ''])
    return /^client_secret: (\S+)$/m.exec(stdout)![1]!
  }
  const create = async (...args: string[]): Promise<string> =>
    secretOf(await client('create', ...args))
  const ask = async (
    id: string,
    secret: string,
  ): Promise<{ readonly status: number; readonly scope?: string }> => {
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const { url } = await start()
    const response = await fetch(`${url}/token`, {
      method: 'POST',
      headers: { authorization },
      body,
    })
    return { status: response.status, ...((await response.json()) as { readonly scope?: string }) }
  }

  it('a client from `keystile client create --may revocations` can read /revocations', async () => {
    const secret = await create('stock-api', '--may', 'introspect,revocations')
    const credentials = { client_id: 'stock-api', client_secret: secret }
    const { url } = await start()
    const reader = await openReader(`${url}/revocations`, credentials)
    assert.equal(reader.status, 200)
    await reader.untilCurrent()
    // The command runs in another process. Its event reaches the server through the database.
    assert.equal((await client('disable', 'stock-api')).code, 0)
    assert.equal(await reader.untilEnd(), 'complete')
  })

  it('`keystile client create` registers a client and shows its secret once', async () => {
    const args = ['orders', '--grants', 'client_credentials', '--scopes', 'items:write,items:read']
    const secret = secretOf(await runCommand(['client', 'create', ...args], { cwd, env }))
    const { status, scope } = await ask('orders', secret)
    assert.deepEqual([status, scope], [200, 'items:read items:write'])
    for (const args of [[], ['--json']])
      assert.ok(!(await client('list', ...args)).stdout.includes(secret))
  })

  it('`keystile client` escapes control characters in stored and typed names', async () => {
    await create('odd', '--may', 'introspect')
    const sqlite = new DatabaseSync(join(cwd, 'data/keystile.db'), { timeout: 60_000 })
    const scopes = JSON.stringify(['\u001b[31m\u2028\n\t'])
    sqlite.prepare(`update client set scopes = ? where id = 'odd'`).run(scopes)
    sqlite.close()
    const [row, json] = [(await client('list')).stdout, (await client('list', '--json')).stdout]
    assert.match(row, /^odd\t.*\t\\u001b\[31m\\u2028\\u000a\\u0009\tintrospect\t-$/m)
    const line = json.split('\n').find((text) => text.includes('"odd"'))
    assert.ok(line !== undefined && !unseen.test(line))
    assert.deepEqual(JSON.parse(line).scopes, JSON.parse(scopes))
    const { stderr } = await client('disable', 'x\u001b[31m\u202e')
    assert.match(stderr, /^keystile: there is no client x\\u001b\[31m\\u202e, /)
  })

  it('`keystile client list` prints one line per client, or JSON', async () => {
    await create('api', '--may', 'introspect')
    const rights = ['--grants', 'refresh_token,password', '--scopes', 'items:write,items:read']
    await client('create', 'app', '--public', ...rights)
    const { stdout } = await client('list')
    assert.match(stdout, /^api\tconfidential\tactive\t\S+Z\t-\t-\tintrospect\t-$/m)
    assert.match(
      stdout,
      /^app\tpublic\tactive\t\S+Z\tpassword refresh_token\titems:read items:write\t-\tyes$/m,
    )
    const listed = (await client('list', '--json')).stdout.trim().split('\n')
    const { created_at, ...api } = listed
      .map((line) => JSON.parse(line))
      .find(({ client_id }) => client_id === 'api')
    assert.ok(Date.parse(created_at))
    assert.deepEqual(api, {
      client_id: 'api',
      confidential: true,
      active: true,
      grants: [],
      scopes: [],
      may: ['introspect'],
      first_party: false,
    })
  })

  it('`keystile client rotate-secret` makes a new secret; the old secret is refused', async () => {
    const old = await create('billing', '--grants', 'client_credentials')
    const { stdout } = await client('rotate-secret', 'billing', '--json')
    const { client_id, client_secret } = JSON.parse(stdout)
    assert.equal(client_id, 'billing')
    assert.equal((await ask('billing', old)).status, 401)
    assert.equal((await ask('billing', client_secret)).status, 200)
  })

  it('`keystile client disable` disables a client permanently', async () => {
    const secret = await create('mail', '--grants', 'client_credentials')
    assert.equal((await client('disable', 'mail')).code, 0)
    assert.equal((await ask('mail', secret)).status, 401)
  })

  it('`keystile client` refuses to change, disable or register a disabled client', async () => {
    const old = await create('news', '--may', 'introspect')
    assert.notEqual(secretOf(await client('rotate-secret', 'news')), old)
    const { stdout } = await client('disable', 'news')
    assert.equal(stdout, 'disabled news; a running server refuses its tokens within a second\n')
    assert.match((await client('list')).stdout, /^news\tconfidential\tdisabled\t/m)
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [['disable', 'news'], /there is no client news, or it is already disabled/],
      [['rotate-secret', 'news'], /there is no active client news with a secret/],
      [['create', 'news', '--may', 'introspect'], /news is taken, or was used before/],
    ]
    for (const [args, expected] of refused) {
      const { code, stderr } = await client(...args)
      assert.equal(code, 1)
      assert.match(stderr, expected)
    }
  })

  it('`keystile client create --public` makes a client that has no secret', async () => {
    const { stdout } = await client(
      'create',
      'spa',
      '--public',
      '--grants',
      'password,refresh_token',
    )
    assert.equal(stdout, 'client_id: spa\nThe client is public: it has no secret.\n')
    assert.equal(
      (await client('create', 'kiosk', '--public', '--grants', 'password', '--json')).stdout,
      '{"client_id":"kiosk"}\n',
    )
  })

  it('`keystile client create` reports wrong arguments and registers nothing', async () => {
    await create('taken', '--may', 'introspect')
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [['X'], /2 to 63 lower-case letters.*\n.*at least one grant/],
      [['bad'], /at least one grant/],
      [
        ['bad', '--grants', 'implicit'],
        /--grants must list names from password, authorization_code, refresh_token, client_credentials, .*"implicit"/,
      ],
      [
        ['bad', '--grants', 'client_credentials', '--scopes', 'items:raed'],
        /--scopes must list names from items:read.*"items:raed"/,
      ],
      [['bad', '--may', 'revoke'], /--may must list names from introspect.*"revoke"/],
      [['bad', '--public', '--may', 'introspect'], /only a confidential client/],
      [['taken', '--grants', 'client_credentials'], /the client id taken is taken/],
    ]
    for (const [args, expected] of refused) {
      const { code, stderr } = await client('create', ...args)
      assert.equal(code, 1)
      assert.match(stderr, expected)
    }
    assert.ok(!(await client('list')).stdout.includes('bad'))
  })

  it('`client create` creates a missing database; `client list` does not', async () => {
    const missing = ['--database', 'new.db']
    assert.match((await client('list', ...missing)).stderr, /there is no new\.db/)
    const created = await client('create', 'first', '--may', 'introspect', ...missing)
    assert.match(
      created.stdout,
      /^client_id: first\nclient_secret: \S{43}\nThe secret is shown only now; .*\n$/,
    )
    assert.match((await client('list', ...missing)).stdout, /^first\t/)
  })
})
