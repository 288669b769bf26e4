import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import { startTokenServer } from '../../test-support/token-server.ts'

describe('the fetch of a client', () => {
  const stage = stageClient()
  const { start, items, bearers, refreshes, answerTokens, hold, read } = stage

  describe('client.fetch and the destination of a request', () => {
    it('client.fetch adds the token to a request for the issuer’s origin', async () => {
      await stage.client.login(ada)
      const answer = await stage.client.fetch(items(), { headers: { accept: 'text/plain' } })
      assert.equal((await read(answer)).owner, 'ada')
      assert.equal(stage.server.askedFor('GET /items')[0]!.headers.accept, 'text/plain')
    })

    it('client.fetch accepts a URL, or a Request with its method, headers and body', async () => {
      await stage.client.login(ada)
      assert.equal((await stage.client.fetch(new URL(items()))).status, 200)
      const request = new Request(items(), {
        method: 'POST',
        body: 'lamp',
        headers: { 'x-of': 'the request' },
      })
      assert.equal((await read(await stage.client.fetch(request))).body, 'lamp')
      const { headers } = stage.server.askedFor('POST /items')[0]!
      assert.equal(headers['x-of'], 'the request')
      assert.equal(headers['content-type'], 'text/plain;charset=UTF-8')
    })

    it('while no user is signed in, client.fetch sends requests without a token', async () => {
      assert.equal((await stage.client.fetch(items())).status, 401)
      assert.deepEqual(bearers(), [undefined])
      assert.equal(refreshes(), 0)
    })

    it('client.fetch keeps an Authorization header that the request already has', async () => {
      await stage.client.login(ada)
      await stage.client.fetch(items(), { headers: { Authorization: 'Basic abc' } })
      await stage.client.fetch(new Request(items(), { headers: { Authorization: 'Bearer other' } }))
      assert.deepEqual(bearers(), ['Basic abc', 'Bearer other'])
      assert.equal(refreshes(), 0)
    })

    it('client.fetch ignores a later change of the URL object that the app passed', async () => {
      const other = await startTokenServer()
      try {
        await stage.client.login(ada)
        const url = new URL(items())
        const answer = stage.client.fetch(url)
        url.port = new URL(other.origin).port
        assert.equal((await answer).status, 200)
        assert.equal(other.asked.length, 0)
      } finally {
        await other.close()
      }
    })

    it('client.fetch sends no token to another origin, not even after a redirect', async () => {
      const other = await startTokenServer()
      try {
        await stage.client.login(ada)
        assert.equal((await stage.client.fetch(`${other.origin}/items`)).status, 401)
        stage.server.instead = ({ route }, response) =>
          route === 'GET /items' &&
          Boolean(response.writeHead(307, { location: `${other.origin}/items` }).end())
        const answer = await stage.client.fetch(items())
        assert.equal(answer.status, 401)
        assert.deepEqual(
          other.asked.map(({ headers }) => headers.authorization),
          [undefined, undefined],
        )
        assert.match(bearers()[0]!, /^Bearer access-/)
        assert.equal(refreshes(), 0, 'a new token would not help')
      } finally {
        await other.close()
      }
    })

    it('with `resources` set, client.fetch sends the token only to listed URLs', async () => {
      const other = await startTokenServer()
      try {
        const named = start({ resources: ['https://elsewhere.example', `${other.origin}/items`] })
        await named.login(ada)
        await named.fetch(`${other.origin}/items?page=2#end`)
        await named.fetch(`${other.origin}/items/1`)
        await named.fetch(`${other.origin}/itemsAndMore`)
        await named.fetch(`${other.origin}/items/../other`)
        await named.fetch(items())
        assert.deepEqual(
          other.asked.map(({ headers }) => headers.authorization !== undefined),
          [true, true, false, false],
        )
        assert.deepEqual(bearers(), [undefined])
      } finally {
        await other.close()
      }
    })

    it('a client sends all requests with the fetch function given to createClient', async () => {
      const urls: string[] = []
      const own = start({
        fetch: (input, init) => {
          urls.push(input instanceof Request ? input.url : input.toString())
          return fetch(input, init)
        },
      })
      await own.login(ada)
      await own.fetch(items())
      assert.deepEqual(urls, [`${stage.server.issuer}/token`, items()])
    })
  })

  describe('client.fetch after the API refuses a token', () => {
    beforeEach(async () => {
      await stage.client.login(ada)
      stage.server.forget()
    })

    it('client.fetch refreshes a refused token, and sends the request again', async () => {
      stage.server.refuseAccessTokens()
      const answer = await stage.client.fetch(items())
      assert.equal(answer.status, 200)
      assert.equal(bearers().length, 2)
      assert.notEqual(bearers()[0], bearers()[1])
    })

    for (const [title, body] of [
      ['a string', 'lamp'],
      ['parameters', new URLSearchParams('lamp')],
      ['a Blob', new Blob(['lamp'])],
      ['bytes', new TextEncoder().encode('lamp')],
    ] as const) {
      it(`client.fetch repeats a refused request whose body is ${title}`, async () => {
        stage.server.refuseAccessTokens()
        const answer = await stage.client.fetch(items(), { method: 'POST', body })
        assert.match((await read(answer)).body!, /^lamp=?$/)
        assert.equal(stage.server.askedFor('POST /items').length, 2)
      })
    }

    it('client.fetch repeats a refused request that has no body', async () => {
      stage.server.refuseAccessTokens()
      assert.equal((await stage.client.fetch(items(), { body: null })).status, 200)
    })

    it('client.fetch repeats a refused Request object together with its body', async () => {
      stage.server.refuseAccessTokens()
      const answer = await stage.client.fetch(
        new Request(items(), { method: 'POST', body: 'lamp' }),
      )
      assert.equal((await read(answer)).body, 'lamp')
    })

    it('client.fetch does not repeat a refused request whose body is a stream', async () => {
      stage.server.refuseAccessTokens()
      const streams = [
        new Blob(['lamp']).stream(),
        (async function* () {
          yield new TextEncoder().encode('lamp')
        })(),
      ]
      for (const body of streams) {
        const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
        assert.equal((await stage.client.fetch(items(), init)).status, 401)
      }
      assert.equal(stage.server.askedFor('POST /items').length, 2)
      assert.equal(refreshes(), 0)
    })

    it('client.fetch does not repeat a stream body, even if it is not async iterable', async () => {
      const own = start({ fetch: (input, init) => fetch(input, { ...init, body: 'lamp' }) })
      stage.server.refuseAccessTokens()
      const body = { getReader() {} } as unknown as ReadableStream
      assert.equal((await own.fetch(items(), { method: 'POST', body })).status, 401)
      assert.deepEqual(
        stage.server.asked.map(({ route }) => route),
        ['POST /items'],
      )
    })

    it('if many simultaneous calls get a 401, client.fetch refreshes the token once', async () => {
      stage.server.refuseAccessTokens()
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => stage.client.fetch(items())),
      )
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(refreshes(), 1)
    })

    it('client.fetch does not refresh a token that another call has just refreshed', async () => {
      const held = hold('GET /items')
      const slow = stage.client.fetch(items())
      await held.arrived
      stage.server.refuseAccessTokens()
      assert.equal((await stage.client.fetch(items())).status, 200)
      held.release()
      assert.equal((await slow).status, 200)
      assert.equal(refreshes(), 1)
    })

    it('client.fetch repeats a refused request only once, and then returns the 401', async () => {
      stage.server.instead = ({ route }, response) =>
        route === 'GET /items' && Boolean(response.writeHead(401).end('no'))
      const answer = await stage.client.fetch(items())
      assert.equal(answer.status, 401)
      assert.equal(await answer.text(), 'no')
      assert.equal(bearers().length, 2)
      assert.equal(refreshes(), 1)
      assert.equal(await stage.client.isSignedIn(), true)
    })

    it('client.fetch does not refresh after an error that a new token cannot solve', async () => {
      const refusals = [
        [401, 'Bearer error="insufficient_user_authentication", max_age=300'],
        [401, 'Bearer error=invalid_request'],
        [403, 'Bearer error="insufficient_scope"'],
      ] as const
      for (const [status, challenge] of refusals) {
        stage.server.instead = (_asked, response) =>
          Boolean(response.writeHead(status, { 'www-authenticate': challenge }).end())
        assert.equal((await stage.client.fetch(items())).status, status)
      }
      assert.equal(refreshes(), 0)
    })

    it('client.fetch refreshes after a 401 that has no error code or no body', async () => {
      for (const route of ['GET /items', 'HEAD /items']) {
        stage.server.instead = (asked, response) => {
          const status = stage.server.askedFor(route).length === 1 ? 401 : 200
          const headers = { 'www-authenticate': 'Bearer realm="items"' }
          return asked.route === route && Boolean(response.writeHead(status, headers).end())
        }
        const [method] = route.split(' ') as [string]
        assert.equal((await stage.client.fetch(items(), { method })).status, 200)
      }
      assert.equal(refreshes(), 2)
    })

    it('client.fetch refreshes after a 401 that the app’s own fetch function returns', async () => {
      const own = start({
        fetch: async (input, init) =>
          input === items() ? new Response(null, { status: 401 }) : fetch(input, init),
      })
      assert.equal((await own.fetch(items())).status, 401)
      assert.equal(refreshes(), 1)
    })

    it('client.fetch frees the connection of a 401 before it sends the request again', async () => {
      const answers: Response[] = []
      const own = start({
        fetch: async (input, init) => {
          const answer = await fetch(input, init)
          if (input === items()) answers.push(answer)
          return answer
        },
      })
      stage.server.refuseAccessTokens()
      await own.fetch(items())
      stage.server.refuseAccessTokens()
      answerTokens(503, '{}')
      await assert.rejects(own.fetch(items()), { code: 'temporarily_unavailable' })
      assert.deepEqual(
        answers.map(({ bodyUsed }) => bodyUsed),
        [true, false, true],
      )
    })

    it('client.fetch refreshes a token that is refused after a same-origin redirect', async () => {
      stage.server.instead = ({ route }, response) =>
        route === 'GET /old' && Boolean(response.writeHead(307, { location: '/items' }).end())
      stage.server.refuseAccessTokens()
      assert.equal((await stage.client.fetch(`${stage.server.origin}/old`)).status, 200)
    })

    it('client.fetch returns the 401 and signs the user out if the session has ended', async () => {
      stage.server.endSessions()
      const answer = await stage.client.fetch(items())
      assert.equal(answer.status, 401)
      assert.deepEqual(await answer.json(), {})
      assert.equal(bearers().length, 1)
      assert.equal(stage.signOuts, 1)
    })

    it('client.fetch rejects while the issuer is down, but the user stays signed in', async () => {
      stage.server.refuseAccessTokens()
      answerTokens(503, '{}')
      await assert.rejects(stage.client.fetch(items()), { code: 'temporarily_unavailable' })
      assert.equal(await stage.client.isSignedIn(), true)
      assert.equal(stage.signOuts, 0)
    })

    it('after Bob logs in, client.fetch does not repeat Ada’s refused request', async () => {
      const held = hold('GET /items')
      const answer = stage.client.fetch(items())
      await held.arrived
      await stage.client.login({ ...ada, username: 'bob' })
      stage.server.refuseAccessTokens()
      held.release()
      assert.equal((await answer).status, 401)
      assert.equal(bearers().length, 1)
    })
  })
})
