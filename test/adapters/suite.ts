// Runs the table of cases on one framework's app, then tests what a table cannot express:
// connections, failures and simultaneous requests.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createStage, type Answered, type MakeApp, type Stage } from './app.ts'
import { serve, type Client, type Received, type Sent, type Served } from './client.ts'
import { cases, expired, type Admitted, type Refused } from './table.ts'

/** What a framework passes to `onRefused` as the route of a refused request. */
interface RouteNames {
  /** For GET /items/new, which its own guard refuses. */
  readonly route: string | undefined
  /** For GET /area/read, which a guard of the router refuses. */
  readonly inRouter: string | undefined
}

/** An app that listens. Its server is known only if it runs in this process. */
export interface Listening extends Client {
  readonly server?: Served['server']
  close(): Promise<void>
}

/** Makes the records of an app, and the function that starts the app. */
export type Open = (withUser: boolean) => {
  readonly stage: Stage
  readonly start: () => Promise<Listening>
}

/** What the HTTP server of a runtime does differently from Node's. */
export interface Platform {
  /** Whether it may close the connection after an answer to a request whose body was not read. */
  readonly closesUnread?: true
  /** Whether it closes a connection on which a second request arrives before the first answer. */
  readonly refusesPipelining?: true
  /** Whether to leave out the tests of guards without users, which resemble those with users. */
  readonly onlyWithUsers?: boolean
}

/**
 * @param makeApp makes the app of `Table` in app.ts
 * @param names what `onRefused` gets as the route. Default: undefined, as in a framework without
 *   routes
 */
export function describeGuards(
  framework: string,
  makeApp: MakeApp,
  names?: RouteNames,
  platform?: Platform,
): void {
  const open: Open = (withUser) => {
    const stage = createStage({ withUser })
    return { stage, start: async () => serve(await makeApp(stage.table)) }
  }
  describeOpened(framework, open, names, platform)
}

/** Runs the tests on apps that `open` starts. */
export function describeOpened(
  framework: string,
  open: Open,
  names: RouteNames = { route: undefined, inRouter: undefined },
  platform: Platform = {},
): void {
  for (const withUser of platform.onlyWithUsers ? [true] : [true, false]) {
    describe(`a guard in ${framework} ${withUser ? 'with' : 'without'} users`, () => {
      const { stage, start } = open(withUser)
      let served: Listening
      before(async () => {
        served = await start()
      })
      after(() => served.close())
      beforeEach(() => {
        for (const list of [stage.handled, stage.errors, stage.asked, stage.refused])
          list.length = 0
        stage.verifications = 0
        stage.hold()
      })
      describeTable(stage, () => served)
      describeCallers(stage, () => served)
      describeConnections(stage, () => served, platform)
      describeRefusals(stage, () => served, names)
      if (withUser) describeUsers(stage, () => served)
    })
  }
}

function check(
  received: Received,
  expected: Refused | Admitted,
  { stage, sent }: { stage: Stage; sent: Sent },
): void {
  const { status, headers, text } = received
  assert.equal(status, expected.status, text)
  const isHead = sent.method === 'HEAD'
  if (isHead) assert.equal(text, '')
  if (expected.status === 200) {
    const { route, subject } = expected
    const user = stage.withUser ? (subject?.toUpperCase() ?? null) : null
    if (!isHead) assert.deepEqual(JSON.parse(text), { route, subject, user })
    assert.deepEqual(stage.handled.splice(0), [route])
    assert.equal(headers['www-authenticate'], undefined)
    return
  }
  const { title, detail, challenge, code } = expected
  assert.equal(headers['www-authenticate'], challenge)
  assert.equal(headers['content-type'], 'application/problem+json')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  if (!isHead) {
    const problem = { type: 'about:blank', title, status, detail, ...(code && { code }) }
    assert.deepEqual(JSON.parse(text), problem)
    assert.equal(headers['content-length'], String(text.length))
  }
  assert.deepEqual(stage.handled, [])
}

function describeTable(stage: Stage, served: () => Listening): void {
  for (const { name, send, expected, needsUser } of cases) {
    if (needsUser && !stage.withUser) continue
    it(`a guard returns ${expected.status} for ${name}, also for a second request`, async () => {
      const sent = send(stage)
      for (let time = 0; time < 2; time++)
        check(await served().send(sent), expected, { stage, sent })
      assert.deepEqual(stage.errors, [])
    })
  }

  it('a guard returns 401 for a token that has expired since it was last used', async () => {
    const headers = ['authorization', stage.bearer()]
    const sent = { path: '/me', headers }
    check(
      await served().send(sent),
      { status: 200, route: 'me', subject: 'alice' },
      { stage, sent },
    )
    stage.advance(605)
    check(await served().send(sent), expired, { stage, sent })
  })

  it('a path without a route returns 404 and runs no guard', async () => {
    for (const headers of [[], ['authorization', stage.bearer()], ['authorization', 'Bearer abc']])
      assert.equal((await served().send({ path: '/nothing', headers })).status, 404)
    assert.equal(stage.verifications, 0)
  })

  it('a guard refuses a request before any parser reads the body', async () => {
    const broken = {
      method: 'POST',
      path: '/parsed/after',
      headers: ['content-type', 'application/json'],
      body: '{',
    }
    assert.equal((await served().send(broken)).status, 401)
    assert.deepEqual(stage.errors, [])
  })

  for (const path of ['/parsed/after', '/parsed/before']) {
    it(`a guard leaves the request body to the app’s parser: ${path}`, async () => {
      for (let time = 0; time < 2; time++) {
        const headers = ['content-type', 'application/json', 'authorization', stage.bearer()]
        const { status, text } = await served().send({
          method: 'POST',
          path,
          headers,
          body: '{"a":[1,2]}',
        })
        assert.equal(status, 200, text)
        assert.deepEqual((JSON.parse(text) as Answered).body, { a: [1, 2] })
      }
      const anonymous = {
        method: 'POST',
        path,
        headers: ['content-type', 'application/json'],
        body: '{}',
      }
      assert.equal((await served().send(anonymous)).status, 401)
    })
  }
}

function describeCallers(stage: Stage, served: () => Listening): void {
  it('guard.caller throws a TypeError without a guard or with only an optional one', async () => {
    for (const path of ['/open', '/news/strict']) {
      const { status, text } = await served().send({ path })
      assert.equal(status, 500)
      assert.ok(stage.errors.splice(0)[0] instanceof TypeError)
      if (!text.includes('about:blank')) assert.equal(text, '{"failed":"TypeError"}')
    }
    assert.deepEqual(stage.handled, [])
  })

  it('the app’s error handler gets an error from a guarded handler', async () => {
    const headers = ['authorization', stage.bearer()]
    for (let time = 0; time < 2; time++) {
      const { status, text } = await served().send({ path: '/throws', headers })
      assert.equal(status, 500)
      assert.doesNotMatch(text, /inside/)
      assert.deepEqual(
        stage.errors.splice(0).map((error) => (error as Error).message),
        ['inside'],
      )
    }
  })

  it('a guard gives each simultaneous request its own caller', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `user${i}`)
    const headers = new Map(
      names.map((name) => [name, ['authorization', stage.bearer({ subject: name })]]),
    )
    for (let time = 0; time < 2; time++) {
      const answers = await Promise.all(
        names.map((name) => served().send({ path: '/me', headers: headers.get(name)! })),
      )
      assert.deepEqual(
        answers.map(({ text }) => (JSON.parse(text) as Answered).subject),
        names,
      )
    }
  })

  if (!stage.withUser) {
    it('a guard verifies a token once and then remembers it', async () => {
      const headers = ['authorization', stage.bearer()]
      for (let time = 0; time < 3; time++)
        assert.equal((await served().send({ path: '/me', headers })).status, 200)
      assert.equal(stage.verifications, 1)
    })
  }
}

function describeRefusals(stage: Stage, served: () => Listening, names: RouteNames): void {
  it('a guard tells onRefused the reason, method and route of each refused request', async () => {
    const headers = ['authorization', stage.bearer()]
    await served().send({ method: 'POST', path: '/items/new?token=abc', headers })
    await served().send({ path: '/area/read' })
    await served().send({ path: '/me', headers })
    assert.deepEqual(stage.refused, [
      {
        code: 'insufficient_scope',
        reason: 'missing_scope',
        method: 'POST',
        route: names.route,
      },
      { code: 'not_authenticated', reason: 'no_credential', method: 'GET', route: names.inRouter },
    ])
  })
}

function describeConnections(stage: Stage, served: () => Listening, platform: Platform): void {
  const good = (path = '/me', subject = 'alice'): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${stage.bearer({ subject })}\r\n\r\n`
  const answered = ({ status, text }: Received): Answered => {
    assert.equal(status, 200, text)
    return JSON.parse(text) as Answered
  }

  const body = 'x'.repeat(200_000)
  const inChunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  for (const [what, rest] of [
    ['a length', `Content-Length: ${body.length}\r\n\r\n${body}`],
    ['chunks', `Transfer-Encoding: chunked\r\n\r\n${inChunks}`],
    ['the form of a request', `Content-Length: ${good().length}\r\n\r\n${good()}`],
  ] as const) {
    it(`after a refusal, an unread body with ${what} does not disturb later requests`, async () => {
      let connection = served().connect()
      for (let time = 0; time < 2; time++) {
        connection.write(`POST /parsed/after HTTP/1.1\r\nHost: x\r\n${rest}`)
        const refused = await connection.read()
        assert.equal(refused.status, 401)
        if (refused.headers['connection']?.toLowerCase() === 'close') {
          assert.ok(platform.closesUnread, 'the connection must stay usable')
          connection = served().connect()
        }
        connection.write(good())
        assert.equal(answered(await connection.read()).subject, 'alice')
      }
      assert.deepEqual(stage.handled, ['me', 'me'])
      connection.socket.destroy()
    })
  }

  const refuses = platform.refusesPipelining && stage.withUser
  const skip = refuses ? 'this HTTP server refuses pipelined requests' : false
  it('a guard answers pipelined requests in order, each with its own token', { skip }, async () => {
    const connection = served().connect()
    const subjects = ['slow-alice', 'bob', 'carol', 'bob']
    const anonymous = 'GET /me HTTP/1.1\r\nHost: x\r\n\r\n'
    connection.write(
      subjects.map((subject) => good('/me', subject)).join('') + anonymous + good('/news', 'dave'),
    )
    if (stage.withUser) await stage.waiting
    stage.release()
    for (const subject of subjects) assert.equal(answered(await connection.read()).subject, subject)
    assert.equal((await connection.read()).status, 401)
    assert.equal(answered(await connection.read()).subject, 'dave')
    connection.socket.destroy()
  })
}

function describeUsers(stage: Stage, served: () => Listening): void {
  for (const subject of ['throws', 'rejects']) {
    it(`if user() ${subject}, the error handler answers and no route runs`, async () => {
      const headers = ['authorization', stage.bearer({ subject })]
      for (const path of ['/secret', '/me', '/news', '/lounge/anybody']) {
        const { status, text } = await served().send({ path, headers })
        assert.equal(status, 500)
        assert.doesNotMatch(text, /select|people/)
        const [error] = stage.errors.splice(0)
        assert.equal((error as Error).message, 'select * from people')
      }
      assert.deepEqual(stage.handled, [])
    })
  }

  // `next(undefined)` would let the request in, and `next('route')` would skip the remaining
  // guards.
  for (const subject of ['rejects-nothing', 'rejects-null', 'rejects-route', 'rejects-router']) {
    it(`a guard returns 500 when user() rejects with a non-Error: ${subject}`, async () => {
      const headers = ['authorization', stage.bearer({ subject, scopes: ['items:read'] })]
      for (const path of ['/secret', '/items', '/news', '/area/read'])
        assert.equal((await served().send({ path, headers })).status, 500)
      assert.deepEqual(stage.handled, [])
    })
  }

  it('several guards on one request call user() only once', async () => {
    const headers = ['authorization', stage.bearer({ scopes: ['items:read', 'items:write'] })]
    for (const path of ['/area/write', '/area/read', '/lounge/members']) {
      const { status, text } = await served().send({ path, headers })
      assert.equal(status, 200, text)
      assert.deepEqual(stage.asked.splice(0), ['alice'])
    }
  })

  it('a guard does not call user() for a token that it refuses', async () => {
    for (const headers of [[], ['authorization', 'Bearer abc'], ['authorization', stage.bearer()]])
      assert.ok((await served().send({ path: '/items', headers })).status >= 401)
    assert.deepEqual(stage.asked, [])
  })

  it('a guard tells onRefused that the e-mail address is not verified', async () => {
    const headers = ['authorization', stage.bearer({ subject: 'unverified' })]
    await served().send({ path: '/verified', headers })
    assert.deepEqual(
      stage.refused.map(({ code, reason }) => [code, reason]),
      [['email_not_verified', 'email_not_verified']],
    )
  })

  it('guards that demand a verified address call user() once per request', async () => {
    const headers = ['authorization', stage.bearer({ scopes: ['items:read', 'items:write'] })]
    for (const path of ['/verified', '/verified/any', '/area/verified']) {
      assert.equal((await served().send({ path, headers })).status, 200)
      assert.deepEqual(stage.asked.splice(0), ['alice'])
    }
  })

  for (const subject of ['slow', 'slow-ghost']) {
    it(`there is no error if a caller disconnects while user() runs: ${subject}`, async () => {
      const connection = served().connect()
      const { server } = served()
      const closed = server && closeOfNextRequest(server)
      connection.write(
        `GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: ${stage.bearer({ subject })}\r\n\r\n`,
      )
      await stage.waiting
      connection.socket.destroy()
      await closed
      stage.release()
      const { status } = await served().send({
        path: '/me',
        headers: ['authorization', stage.bearer()],
      })
      assert.equal(status, 200)
      assert.deepEqual(stage.errors, [])
    })
  }
}

/** Resolves when the client of the next request has disconnected. */
async function closeOfNextRequest(server: Served['server']): Promise<void> {
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  // Not `once` of node:events, which would reject because of the aborted request.
  await new Promise((resolve) => request.once('close', resolve))
}
