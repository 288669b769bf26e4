// People copy the recipes, so no client may crash one. Each program of the documents that is a
// server, and each example, runs in its own process. It gets half requests, junk and resets over
// real sockets, while its callbacks work and while they throw. Then it must still run, answer as
// before, and have no open connection.
import assert from 'node:assert/strict'
import { execFile, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { hashSync } from '@node-rs/bcrypt'
import {
  createTestDatabase,
  howToGetPostgres,
} from '../../packages/server/test-support/postgres.ts'
import { isTest, root, servedBlocks, wholeBlocks } from './blocks.ts'
import type { Mode } from './planted.ts'
import type { Order, Ready } from './recipe-process.ts'

const password = 'an engine of her own'
const database = await createTestDatabase()
if (!database && process.env['CI'] === 'true')
  throw new Error(`these tests need PostgreSQL: ${howToGetPostgres}`)

/** A request that only a caller with a token may make. */
interface Guarded {
  readonly method: string
  readonly path: string
  readonly body: string
}

interface Recipe {
  readonly name: string
  /** The guarded request to send. Default: a GET of the first guarded path in `paths`. */
  readonly guarded?: Guarded
}

/**
 * The recipes that `npm test` attacks: four that differ most. They use Hono, node:http with
 * WebSockets, Fastify with GraphQL, and Express with the app's own users in PostgreSQL. With
 * KEYSTILE_LONG=1, all recipes are attacked. The tests in test/adapters attack the guard of each
 * framework.
 */
const shortList = [
  /^README-\d+\.ts$/,
  /^examples\/websocket\/main\.ts$/,
  /^examples\/graphql\/main\.ts$/,
  /^guides-own-users-\d{3}\.ts$/,
]
const isLong = Boolean(process.env['KEYSTILE_LONG'])

const get = (path: string): Guarded => ({ method: 'GET', path, body: '' })
/** Paths of guarded routes. Every recipe with accounts has the last path. */
const paths = ['/items', '/items/7', '/orders', '/orders/7', '/me', '/mine', '/', '/auth/users/me']

/**
 * Code that is added to a block. It passes the app and the token that the block declares to
 * recipe-process.ts.
 */
const ending = `
export function ended(createIssuer) {
  const bearer = [
    typeof access_token === 'string' && access_token,
    typeof token === 'string' && token,
  ].find(Boolean)
  if (typeof server === 'object') return { app: server, token: bearer }
  if (typeof app !== 'undefined') return { app, token: bearer }
  if (typeof createApp === 'function')
    return { app: createApp({ verifier: createIssuer().verifier }) }
  if (typeof createOrdersServer === 'function')
    return { app: createOrdersServer({ verifier: createIssuer().verifier }) }
  if (typeof handle === 'function') {
    const event = { getClientAddress: () => '127.0.0.1' }
    const fetch = (request) => handle({ event: { ...event, request }, resolve: getItems })
    return { app: { fetch }, token: bearer }
  }
  return { app: { fetch: GET } }
}
`

// These handlers have no server, so a few lines replace their framework.
const web = (name: string, call: string): readonly [string, string] => [
  `web-handlers-${name}`,
  `import * as auth from '${root}/examples/web-handlers/next-auth-route.ts'
   import * as route from '${root}/examples/web-handlers/${name}.ts'
   const params = { id: '7' }
   export const app = {
     fetch: (request) =>
       new URL(request.url).pathname.startsWith('/auth/') ? auth.POST(request) : route.${call},
   }`,
]
const written: Readonly<Record<string, string>> = Object.fromEntries([
  ...servedBlocks.map(({ name, code }) => [name, `${code}${ending}`] as const),
  web('next-item-route', 'GET(request, { params: Promise.resolve(params) })'),
  web('sveltekit-server', 'GET({ request, params })'),
  web('react-router-loader', 'loader({ request, params })'),
  [
    'own-users-web',
    `import { answerAuth, GET } from '${root}/examples/own-users/web.ts'
     export const app = { fetch: async (request) => (await answerAuth(request)) ?? GET(request) }`,
  ],
])

const recipes: readonly Recipe[] = [
  ...Object.keys(written).map((name) => ({ name: `${name}.ts` })),
  ...['hono', 'fastify', 'express', 'node', 'websocket'].map((name) => ({
    name: `examples/${name}/main.ts`,
  })),
  {
    name: 'examples/graphql/main.ts',
    guarded: { method: 'POST', path: '/graphql', body: JSON.stringify({ query: '{ me }' }) },
  },
  { name: 'nest/main.js' },
  ...['hono', 'fastify', 'express', 'node'].map((name) => ({
    name: `examples/own-users/${name}.ts`,
  })),
]

/** Returns the text of a request. */
function write({ method, path, body }: Guarded, ...fields: readonly string[]): string {
  const json =
    body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...json, ...fields, '', body].join(
    '\r\n',
  )
}

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='

/** The texts that a client sends before it resets or ends its connection. */
function attacks(
  guarded: Guarded,
  base: string,
  authorization: readonly string[],
): readonly string[] {
  const whole = write(guarded, ...authorization)
  const opening = write(guarded, ...authorization, ...upgrade, key)
  const half = 'Content-Length: 500'
  const form = 'Content-Type: application/x-www-form-urlencoded'
  const posting = { method: 'POST', path: guarded.path, body: '' }
  const bodies = [
    posting,
    { ...posting, path: `${base}/token` },
    { ...posting, path: `${base}/users` },
  ]
  return [
    '',
    whole.slice(0, 30),
    whole,
    whole.repeat(20),
    `${whole}\0\u0016\u0003junk\r\n\r\n`,
    ...bodies.flatMap((request) => [
      `${write(request, ...authorization, half, 'Content-Type: application/json')}{"username":`,
      `${write(request, ...authorization, half, form)}username=ada&pass`,
      `${write(request, ...authorization, 'Transfer-Encoding: chunked', form)}5\r\nuser`,
      `${write(request, ...authorization, 'Transfer-Encoding: chunked', form)}junk\r\n`,
    ]),
    opening.slice(0, 30),
    opening.slice(0, -6),
    opening,
    write(guarded, ...upgrade, key),
    write(guarded, 'Authorization: Bearer', ...upgrade, key),
    write(guarded, ...authorization, ...upgrade),
    write(guarded, ...authorization, 'Connection: Upgrade', 'Upgrade: h2c, \u0001websocket'),
    write(guarded, ...authorization, 'Connection: Upgrade', 'Upgrade: h2c'),
    `${opening}\u0081\u00ffjunk`,
    `${whole}${opening}${whole}`,
    `${write(posting, ...authorization, ...upgrade, key, half)}half`,
    'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n',
  ]
}

/** Sends a text, then resets or ends the connection. */
async function send(port: number, what: string, leave: 'reset' | 'end'): Promise<void> {
  const socket = connect(port, 'localhost')
  await once(socket, 'connect')
  socket.on('error', () => {}) // the server may reset it first
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // When this resolves, the kernel has taken the text and sends it before the reset.
  await new Promise((resolve) => socket.write(what, 'latin1', resolve))
  if (leave === 'reset') socket.resetAndDestroy()
  else socket.resume().end()
  await closed
}

/** Returns the status of the first answer, or `closed` when the server closes without one. */
async function ask(port: number, request: string): Promise<number | 'closed'> {
  const socket = connect(port, 'localhost')
  await once(socket, 'connect')
  socket.write(request)
  for await (const answer of socket.setEncoding('latin1'))
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer as string)?.[1]) // and the socket is destroyed
  return 'closed'
}

interface Running extends Ready {
  tell(order: Order): Promise<unknown>
  stop(): void
}

async function start(program: string, folder: string, signal: AbortSignal): Promise<Running> {
  const cwd = mkdtempSync(join(folder, 'cwd-'))
  const { NODE_TEST_CONTEXT: _, DATABASE_URL, KEYSTILE_KEY, ...outer } = process.env
  // Only own-users uses PostgreSQL: a database belongs to one issuer, so recipes cannot share it.
  const shared = program.includes('own-users') ? { DATABASE_URL, KEYSTILE_KEY } : {}
  const child = fork(join(import.meta.dirname, 'recipe-process.ts'), [program], {
    cwd,
    env: { ...outer, ...shared },
    execArgv: ['--conditions=source'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  })
  const printed = text(child.stderr!)
  const ended = once(child, 'exit').then(async ([code]) => {
    throw new Error(`the process ended with ${String(code)}: ${await printed}`)
  })
  ended.catch(() => {}) // at the end of the test, the process is killed
  const hear = async (): Promise<unknown> =>
    ((await Promise.race([once(child, 'message'), ended])) as [unknown])[0]
  const ready = (await hear()) as Ready
  return {
    ...ready,
    async tell(order) {
      child.send(order, () => {}) // an error means that the process ended, which `hear` reports
      return ((await hear()) as { readonly done: unknown }).done
    },
    stop: () => child.kill('SIGKILL'),
  }
}

/**
 * Returns a token for the recipe, or undefined when it trusts an issuer that the test cannot reach.
 */
async function tokenOf(
  { port, base, token }: Ready,
  username: string,
): Promise<string | undefined> {
  if (token !== undefined || base === undefined) return token
  const url = `http://localhost:${port}${base}`
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const body = JSON.stringify({ username, email: 'ada@example.com', password })
  if (!username.includes('@'))
    await (await fetch(`${url}/users`, { method: 'POST', headers, body })).text()
  const form = new URLSearchParams({ username, password })
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: form,
  })
  const { access_token } = (await answer.json()) as { readonly access_token?: string }
  return access_token
}

async function guardedOf(port: number): Promise<Guarded> {
  for (const guarded of paths.flatMap((path) => [get(path), { ...get(path), method: 'POST' }]))
    if ((await ask(port, write(guarded, 'Authorization: Bearer abc'))) === 401) return guarded
  throw new Error(`no guarded route: add its path to ${paths.join(', ')}`)
}

async function attack(running: Running, recipe: Recipe, username: string): Promise<void> {
  const { port, base = '/auth', hasUser, hasDirectory } = running
  const guarded = recipe.guarded ?? (await guardedOf(port))
  const token = await tokenOf(running, username)
  assert.ok(token !== undefined || !hasUser, 'a recipe with users must give a token')
  const authorization = token === undefined ? [] : [`Authorization: Bearer ${token}`]
  const good = write(guarded, ...authorization)
  const opening = write(guarded, ...authorization, ...upgrade, key)
  const statuses = async (): Promise<readonly unknown[]> => {
    const found: unknown[] = []
    for (const request of [good, opening, write(guarded, 'Authorization: Bearer abc')])
      found.push(await ask(port, request))
    assert.equal(found[2], 401)
    return found
  }
  const allLeft = async (): Promise<number> =>
    Number(await running.tell('wait until no client is connected'))
  const attackOnce = async (texts: readonly string[]): Promise<void> => {
    const sent = texts.flatMap((what) => [send(port, what, 'reset'), send(port, what, 'end')])
    await Promise.all(sent)
    await allLeft()
  }

  const working = await statuses()
  await attackOnce(attacks(guarded, base, authorization))
  assert.deepEqual(await statuses(), working)
  await allLeft()

  const asksUser = new Set<string>()
  for (const mode of [
    'user throws',
    'user rejects',
    'directory throws',
    'handler throws',
  ] as const) {
    await running.tell({ mode })
    let failures = 0
    for (const request of [good, opening]) {
      const status = await ask(port, request)
      const failed = await allLeft()
      failures += failed
      if (failed === 0) continue
      if (mode === 'user throws') asksUser.add(request)
      // A handler may open the WebSocket before it throws.
      if (mode === 'handler throws' && request === opening)
        assert.ok([500, 101, 'closed'].includes(status))
      else assert.equal(status, 500, mode)
    }
    if (isPlanted(mode)) assert.ok(failures > 0, `nothing failed in the mode "${mode}"`)
    await attackOnce([good.repeat(3), opening])
    await running.tell({ mode: 'work' })
    assert.deepEqual(await statuses(), working, mode)
    await allLeft()
  }
  function isPlanted(mode: Mode): boolean {
    if (token === undefined || working[0] === 403) return false
    return mode === 'directory throws' ? hasDirectory : hasUser && mode !== 'handler throws'
  }

  // The client resets its connection while the guard waits for `user`.
  for (const request of asksUser) {
    await running.tell({ mode: 'user waits' })
    const socket = connect(port, 'localhost')
    await once(socket, 'connect')
    socket.write(request)
    await running.tell('wait until user is asked')
    socket.resetAndDestroy()
    await allLeft()
    await running.tell({ mode: 'work' })
    assert.deepEqual(await statuses(), working)
    await allLeft()
  }
}

/** Compiles examples/nest into a folder, because Node cannot strip decorators. */
async function compileNest(outDir: string): Promise<void> {
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'examples/nest')]
  await promisify(execFile)(process.execPath, [
    ...tsc,
    '--noCheck',
    '--singleThreaded',
    '--outDir',
    outDir,
  ])
}

describe('the server recipes in the documents', () => {
  let folder: string
  before(async () => {
    // Inside the repository, so that the names of the packages resolve.
    folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    for (const [name, code] of Object.entries(written))
      writeFileSync(join(folder, `${name}.ts`), code)
    if (isLong) await compileNest(join(folder, 'nest'))
    if (!database) return
    process.env['DATABASE_URL'] = database.url
    process.env['KEYSTILE_KEY'] = randomBytes(32).toString('base64')
    const { pool } = await import('../../examples/own-users/people.ts')
    await pool.query('insert into people (email, hash) values ($1, $2)', [
      'ada@example.com',
      hashSync(password, 4),
    ])
    await pool.end()
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await database?.drop()
  })

  it('the list of recipes includes every server in the documents', () => {
    const servers = /new (OpenAPI)?Hono\(|Fastify\(|express\(\)|createServer\(|keystile\/web'/
    // A program that closes Keystile at its end only shows a call, and serves nobody.
    const others = wholeBlocks.filter(
      ({ code, ...block }) =>
        servers.test(code) &&
        !code.trimEnd().endsWith('await keystile.close()') &&
        !servedBlocks.some(({ name }) => name === block.name),
    )
    // One block may be left out: a test that contains the app, which README also shows.
    assert.deepEqual(
      others.filter((block) => !isTest(block)),
      [],
    )
    assert.ok(others.length <= 1, others.map(({ name }) => name).join(', '))
  })

  it('each pattern in shortList matches the name of exactly one recipe', () => {
    for (const names of shortList)
      assert.equal(recipes.filter(({ name }) => names.test(name)).length, 1, String(names))
  })

  describe('the server recipes under attack', { concurrency: availableParallelism() }, () => {
    for (const recipe of recipes) {
      const { name } = recipe
      const isOwnUsers = name.includes('own-users')
      const skip =
        !isLong && !shortList.some((names) => names.test(name))
          ? 'KEYSTILE_LONG=1 runs it; now a similar program runs'
          : isOwnUsers && !database
            ? `no PostgreSQL: ${howToGetPostgres}`
            : false
      it(
        `${name} keeps working after connection resets, half requests and callbacks that throw`,
        { skip, timeout: 600_000 },
        async (t) => {
          const program = name.startsWith('examples/') ? join(root, name) : join(folder, name)
          const running = await start(program, folder, t.signal)
          t.after(running.stop)
          await attack(running, recipe, isOwnUsers ? 'ada@example.com' : 'ada').catch(
            async (error: unknown) => {
              // Rejects with the reason if the process has ended.
              await running.tell({ mode: 'work' })
              throw error
            },
          )
        },
      )
    }
  })
})
