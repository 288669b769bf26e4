// Starts each example as README says, and uses it as a reader would.
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { freePort, startServer } from '../packages/server/test-support/command.ts'

const password = 'an engine of her own'
const maxLines = 12

interface Started {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a program of this folder in a new, empty folder. */
async function start(main: string, settings: NodeJS.ProcessEnv = {}): Promise<Started> {
  const cwd = mkdtempSync(join(tmpdir(), 'keystile-example-'))
  const port = await freePort()
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, main)],
    {
      cwd,
      env: { ...process.env, PORT: String(port), ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  // Nest prints other lines before the app listens.
  await new Promise<void>((resolve) => {
    let printed = ''
    child.stdout!.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('listening on')) resolve()
    })
  })
  return {
    url: `http://localhost:${port}`,
    async stop() {
      child.kill()
      await once(child, 'exit')
      rmSync(cwd, { recursive: true })
    },
  }
}

/** Registers ada and logs her in, at an issuer. */
async function logIn(url: string): Promise<{ readonly authorization: string }> {
  const person = JSON.stringify({ username: 'ada', email: 'ada@example.com', password })
  const json = { 'content-type': 'application/json' }
  const registered = await fetch(`${url}/users`, {
    method: 'POST',
    body: person,
    headers: json,
  })
  assert.equal(registered.status, 201)
  const form = new URLSearchParams({ username: 'ada', password })
  const login = await fetch(`${url}/token`, { method: 'POST', body: form })
  const { access_token } = (await login.json()) as { access_token: string }
  return { authorization: `Bearer ${access_token}` }
}

/** Starts an example before the tests of a suite. */
function useExample(main: string): { url: string; headers: { readonly authorization: string } } {
  const example = { url: '', headers: { authorization: '' } }
  let started: Started | undefined
  before(async () => {
    started = await start(main)
    example.url = started.url
    example.headers = await logIn(`${started.url}/auth`)
  })
  after(() => started?.stop())
  return example
}

for (const { name, file } of [
  { name: 'hono', file: 'app.ts' },
  { name: 'fastify', file: 'main.ts' },
  { name: 'express', file: 'main.ts' },
  { name: 'node', file: 'main.ts' },
]) {
  describe(`examples/${name}`, () => {
    const example = useExample(`${name}/main.ts`)

    it(`examples/${name} registers a user and opens a guarded route for that user`, async () => {
      const { url, headers } = example
      for (let time = 0; time < 2; time++) {
        const items = await fetch(`${url}/items`, { headers })
        assert.equal(items.status, 200)
        assert.equal(((await items.json()) as { owner: string }).owner, 'ada')
      }
      const posted = await fetch(`${url}/items`, { method: 'POST', body: '', headers })
      if (name !== 'node') assert.equal(posted.status, 403, 'ada lacks the scope')
      assert.equal((await fetch(`${url}/items`)).status, 401)
      assert.equal((await fetch(`${url}/nothing`, { headers })).status, 404)
      assert.equal((await fetch(`${url}/.well-known/oauth-authorization-server/auth`)).status, 200)
    })

    it(`examples/${name} needs at most ${maxLines} lines of code for Keystile`, () => {
      const lines = readFileSync(join(import.meta.dirname, name, file), 'utf8').split('\n')
      const start = lines.findIndex((line) => line.includes('createKeystile({'))
      const options = lines.slice(start, lines.indexOf('})', start) + 1)
      const others = lines.filter(
        (line) =>
          !options.includes(line) &&
          !line.startsWith('//') &&
          /keystile|guard|mount|auth|loggedIn/.test(line),
      )
      assert.ok(options.length + others.length <= maxLines, [...options, ...others].join('\n'))
    })
  })
}

describe('examples/websocket', () => {
  const example = useExample('websocket/main.ts')

  /** Returns the messages of a socket until it is closed, and the close code. */
  async function listen(
    options: string[] | { headers: Record<string, string> },
    whenGreeted: () => unknown,
  ): Promise<readonly unknown[]> {
    // Node's own WebSocket takes headers, though a browser's does not.
    const socket = new WebSocket(example.url.replace('http', 'ws'), options)
    const told: unknown[] = []
    socket.addEventListener('message', ({ data }) => {
      told.push(data)
      whenGreeted()
    })
    const [event] = (await once(socket, 'close')) as [CloseEvent]
    return [...told, event.code]
  }

  it('if the guard refuses an upgrade, examples/websocket answers with the refusal', async () => {
    for (const [authorization, status, challenge] of [
      [undefined, 401, /^Bearer realm="[^"]+"$/],
      ['Bearer abc', 401, /error="invalid_token"/],
      ['Bearer', 400, /error="invalid_request"/],
    ] as const) {
      const upgrade = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }
      const request = get(example.url, {
        headers: { ...upgrade, ...(authorization !== undefined && { authorization }) },
      })
      const [response] = await once(request, 'response')
      assert.equal(response.statusCode, status)
      assert.match(response.headers['www-authenticate'], challenge)
      assert.equal(response.headers['content-type'], 'application/problem+json')
      const chunks: Buffer[] = await response.toArray()
      assert.equal(
        (JSON.parse(Buffer.concat(chunks).toString()) as { status: number }).status,
        status,
      )
    }
  })

  it('examples/websocket reads tokens from two headers and disconnects deleted users', async () => {
    const { url, headers } = example
    let greeted = 0
    const leave = (): void => {
      greeted++
      if (greeted === 2) void fetch(`${url}/auth/users/me`, { method: 'DELETE', headers })
    }
    const told = await Promise.all([
      listen({ headers }, leave),
      listen(['news', headers.authorization.slice('Bearer '.length)], leave),
    ])
    assert.deepEqual(told, [
      ['hello ada', 4401],
      ['hello ada', 4401],
    ])
  })
})

describe('examples/graphql', () => {
  const example = useExample('graphql/main.ts')
  const ask = async (
    query: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> => {
    const response = await fetch(`${example.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    })
    return response.status === 200 ? response.json() : response.status
  }

  it('examples/graphql returns the allowed fields, and errors for all other fields', async () => {
    const message = 'The token lacks a required scope'
    const extensions = { code: 'insufficient_scope', status: 403 }
    assert.deepEqual(await ask('{ news me items removeItems }', example.headers), {
      data: { news: ['Chairs are in'], me: 'ada', items: ['a lamp of ada'], removeItems: null },
      errors: [{ message, path: ['removeItems'], extensions }],
    })
    assert.deepEqual(await ask('{ news me }'), {
      data: { news: ['Chairs are in'], me: null },
      errors: [
        {
          message: 'Not authenticated',
          path: ['me'],
          extensions: { code: 'not_authenticated', status: 401 },
        },
      ],
    })
  })

  it('examples/graphql refuses the whole request if the token is bad', async () => {
    assert.equal(await ask('{ news }', { authorization: 'Bearer abc' }), 401)
  })
})

let compiling: Promise<unknown> | undefined

/** Compiles examples/nest once, because Node does not support decorators. */
async function compileNest(): Promise<void> {
  const tsc = join(import.meta.dirname, '../node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', join(import.meta.dirname, 'nest'), '--singleThreaded']
  compiling ??= promisify(execFile)(process.execPath, args)
  await compiling.catch(({ stdout }: { stdout: string }) => assert.fail(stdout))
}

describe('examples/nest', () => {
  before(compileNest)
  const example = useExample('nest/dist/main.js')
  const ask = async (
    method: string,
    path: string,
    authorization?: string,
    body?: object,
  ): Promise<Response> =>
    fetch(`${example.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  const lacks = (scope: string): RegExp =>
    new RegExp(`error="insufficient_scope", .*scope="${scope}"$`)

  it('examples/nest applies the guards of a controller and of its methods', async () => {
    const { authorization } = example.headers
    for (let time = 0; time < 2; time++) {
      const items = await ask('GET', '/items', authorization)
      assert.deepEqual([items.status, await items.json()], [200, { owner: 'ada' }])
    }
    for (const [credential, name] of [
      [undefined, 'stranger'],
      [authorization, 'ada'],
    ] as const) {
      const news = await ask('GET', '/news', credential)
      assert.deepEqual([news.status, await news.json()], [200, [`Chairs are in, ${name}`]])
    }
    assert.equal((await ask('GET', '/news/members', authorization)).status, 200)
    assert.equal((await ask('GET', '/news/open', 'Bearer abc')).status, 200)
  })

  it('examples/nest refuses bad tokens and missing scopes with JSON and a challenge', async () => {
    const { authorization } = example.headers
    const refusals: readonly (readonly [string, string, string | undefined, number, RegExp])[] = [
      ['GET', '/items', undefined, 401, /^Bearer realm="[^"]+"$/],
      ['GET', '/items', 'Basic eDp5', 401, /^Bearer realm="[^"]+"$/],
      ['GET', '/items', 'Bearer abc', 401, /error="invalid_token"/],
      ['GET', '/items', 'Bearer', 400, /error="invalid_request"/],
      ['GET', '/news', 'Bearer abc', 401, /error="invalid_token"/],
      ['GET', '/news/members', undefined, 401, /^Bearer realm="[^"]+"$/],
      ['POST', '/items', undefined, 401, /^Bearer realm="[^"]+"$/],
      ['POST', '/items', authorization, 403, lacks('items:read items:write')],
      ['DELETE', '/items', authorization, 403, lacks('items:read items:write')],
    ]
    for (const [method, path, credential, status, challenge] of refusals) {
      const response = await ask(
        method,
        path,
        credential,
        method === 'POST' ? { name: 'table' } : undefined,
      )
      assert.equal(response.status, status)
      assert.match(response.headers.get('www-authenticate') ?? '', challenge)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      assert.equal(response.headers.get('cache-control'), 'no-store')
      assert.equal(((await response.json()) as { status: number }).status, status)
    }
    assert.equal((await ask('GET', '/nothing', authorization)).status, 404)
  })

  it('the OpenAPI document of examples/nest has the rules that its guards enforce', async () => {
    interface Operation {
      readonly security?: readonly object[]
      readonly responses: object
    }
    const document = (await (await fetch(`${example.url}/docs-json`)).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
      readonly components: { readonly securitySchemes: Readonly<Record<string, object>> }
    }
    const { '/items': items, '/news': news, '/news/open': open } = document.paths
    assert.deepEqual(document.paths['/news/members']!['get']!.security, [{ keystile: [] }])
    assert.deepEqual(items!['get']!.security, [{ keystile: ['items:read'] }])
    assert.deepEqual(items!['post']!.security, [{ keystile: ['items:read', 'items:write'] }])
    assert.deepEqual(Object.keys(items!['post']!.responses), ['201', '400', '401', '403', '503'])
    assert.deepEqual(news!['get']!.security, [{ keystile: [] }, {}])
    assert.equal(open!['get']!.security, undefined)
    const scheme = document.components.securitySchemes['keystile'] as {
      flows: { password: { tokenUrl: string } }
    }
    assert.equal(scheme.flows.password.tokenUrl, `${example.url}/auth/token`)
  })

  it('examples/nest answers WebSocket messages, or an error if there is no token', async () => {
    for (const [headers, event, data] of [
      [example.headers, 'news', 'Chairs are in, ada'],
      [
        {},
        'exception',
        { status: 'error', message: 'Not authenticated', code: 'not_authenticated' },
      ],
    ] as const) {
      // Node's own WebSocket takes headers, though a browser's does not.
      const socket = new WebSocket(example.url.replace('http', 'ws'), { headers })
      await once(socket, 'open')
      const answer = once(socket, 'message') as Promise<[{ readonly data: string }]>
      socket.send(JSON.stringify({ event: 'news', data: null }))
      assert.deepEqual(JSON.parse((await answer)[0].data), { event, data })
      socket.close()
    }
  })
})

describe('examples/nest/verify.ts', () => {
  before(compileNest)

  it('examples/nest/verify.ts refuses tokens with a wrong issuer, audience or scope', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-example-'))
    const audience = 'https://orders.example'
    const scopes = { 'orders:read': 'Read orders' }
    const settings = { audience, scopes, defaultScopes: ['orders:read'] }
    writeFileSync(join(cwd, 'keystile.config.json'), JSON.stringify(settings))
    const issuer = await startServer({ cwd })
    t.after(async () => {
      issuer.child.kill()
      await once(issuer.child, 'exit')
      rmSync(cwd, { recursive: true })
    })
    const headers = await logIn(issuer.url)

    const api = await start('nest/dist/verify.js', { ISSUER: issuer.url })
    t.after(api.stop)
    const orders = await fetch(`${api.url}/orders`, { headers })
    assert.equal(orders.status, 200)
    assert.equal(typeof ((await orders.json()) as { of: string }).of, 'string')
    assert.equal((await fetch(`${api.url}/orders`)).status, 401)

    const settingsOfOther = { ISSUER: issuer.url, AUDIENCE: 'https://items.example' }
    const other = await start('nest/dist/verify.js', settingsOfOther)
    t.after(other.stop)
    assert.equal((await fetch(`${other.url}/orders`, { headers })).status, 401)
  })
})

describe('examples/nest with GraphQL and Fastify', () => {
  before(compileNest)
  const example = useExample('nest/dist/graphql.js')
  const ask = async (query: string, headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${example.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    })
    const { data, errors } = (await answer.json()) as {
      readonly data: unknown
      readonly errors?: readonly { readonly message: string }[]
    }
    return errors?.map(({ message }) => message) ?? data
  }
  const lacks = ['The token lacks a required scope']

  it('resolvers of examples/nest demand the token or scope their decorators name', async () => {
    const { headers } = example
    assert.deepEqual(await ask('{ me items { name } }', headers), {
      me: 'ada',
      items: [{ name: 'lamp' }],
    })
    assert.deepEqual(await ask('{ news }', {}), { news: ['Chairs are in'] })
    for (const query of ['{ me }', '{ items { name } }', 'mutation { clear }'])
      assert.deepEqual(await ask(query, {}), ['Not authenticated'])
    assert.deepEqual(await ask('mutation { clear }', headers), lacks)
  })

  it('examples/nest refuses a guarded field though the query guard admits the caller', async () => {
    assert.deepEqual(await ask('{ items { name cost } }', example.headers), lacks)
  })
})
