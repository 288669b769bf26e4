// Tests keystile/client against the real server.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createClient, memoryStorage, type ApiClient, type ClientOptions } from 'keystile/client'
import {
  createTestClock,
  describeOnOne,
  issuer,
  password,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const me = `${issuer}/users/me`

describeOnOne('SQLite', 'keystile/client', (stage) => {
  let server: TestKeystile
  let clock: TestClock
  /** The bodies of the refreshes that the client sent. */
  let refreshes: string[]
  /** If true, the answer to the next request is lost. */
  let losesAnswer = false

  async function start(options: Partial<ClientOptions> = {}): Promise<ApiClient> {
    clock = createTestClock()
    refreshes = []
    server = await stage.start({ clock })
    await server.addUser({ username: 'ada', email: 'ada@example.com' })
    return connect(options)
  }
  const connect = (options: Partial<ClientOptions> = {}): ApiClient =>
    createClient({
      issuer,
      clock: { now: clock.now, elapsed: clock.now },
      async fetch(input, init) {
        const request = new Request(input, init)
        const body = await request.clone().text()
        if (body.startsWith('grant_type=refresh_token')) refreshes.push(body)
        const answer = await server.keystile.fetch(request)
        if (!losesAnswer) return answer
        losesAnswer = false
        throw new TypeError('the network is gone')
      },
      ...options,
    })

  it('keystile/client logs in, calls a route, refreshes and logs out', async () => {
    const client = await start()
    await assert.rejects(client.login({ username: 'ada', password: 'wrong' }), {
      code: 'invalid_grant',
      message: 'Incorrect username or password',
    })
    await client.login({ username: 'ada', password })
    assert.equal((await client.fetch(me)).status, 200)
    clock.advance(600)
    assert.equal((await client.fetch(me)).status, 200)
    assert.equal(refreshes.length, 1)
    const token = await client.accessToken()
    await client.logout()
    assert.equal((await server.send('GET', '/users/me', { bearer: token! })).status, 401)
    assert.equal((await client.fetch(me)).status, 401)
  })

  it('keystile/client refreshes once for twenty simultaneous calls', async () => {
    const client = await start()
    await client.login({ username: 'ada', password })
    clock.advance(600)
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.fetch(me)))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal(refreshes.length, 1)
  })

  it('keystile/client stays signed in if the answer to a refresh is lost', async () => {
    const client = await start()
    await client.login({ username: 'ada', password })
    for (const secondsUntilNext of [5, 3_600]) {
      clock.advance(600)
      losesAnswer = true
      await assert.rejects(client.fetch(me), { code: 'temporarily_unavailable' })
      clock.advance(secondsUntilNext)
      assert.equal((await client.fetch(me)).status, 200)
    }
    assert.equal(new Set(refreshes).size, 2)
    assert.equal(refreshes.length, 4)
  })

  it('two clients stay signed in even if they share tokens without a lock', async () => {
    const storage = memoryStorage()
    const one = await start({ storage })
    const other = connect({ storage })
    await one.login({ username: 'ada', password })
    for (let round = 1; round <= 3; round++) {
      clock.advance(600)
      const answers = await Promise.all([one.fetch(me), other.fetch(me)])
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(refreshes.length, 2 * round)
    }
  })

  it('keystile/client signs out if the user is disabled', async () => {
    const client = await start()
    let signOuts = 0
    client.onSignOut(() => signOuts++)
    await client.login({ username: 'ada', password })
    const { id } = (await (await client.fetch(me)).json()) as { readonly id: string }
    await server.disable(id)
    const answer = await client.fetch(me)
    assert.equal(answer.status, 401)
    assert.match(answer.headers.get('www-authenticate')!, /revoked/)
    assert.equal(signOuts, 1)
    assert.equal(await client.isSignedIn(), false)
  })

  it('keystile/client stays signed in if a second login is refused', async () => {
    const client = await start()
    await client.login({ username: 'ada', password })
    await assert.rejects(client.login({ username: 'ada', password, scopes: ['no:such'] }), {
      code: 'invalid_scope',
    })
    assert.equal(await client.isSignedIn(), true)
  })
})
