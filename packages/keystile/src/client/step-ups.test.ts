// What `client.fetch` does after a 401 that demands another login, with an API and an issuer that
// answer as the test says. The tests against the real server are in
// test/flows/client-second-factor.test.ts.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import { startTokenServer, type Asked } from '../../test-support/token-server.ts'
import type { LoginDemand } from './next-step.ts'

describe('a step-up for an API', () => {
  const stage = stageClient()
  const { items, bearers, refreshes } = stage

  /** The demands that the issuer got, in words of the wire. */
  let demands: string[]
  /** What the session has proved by now. */
  let proved: Set<string>
  const tokenOf = (sid: string): string =>
    `e30.${Buffer.from(JSON.stringify({ sid })).toString('base64url')}.`
  const insufficient = (demand: string): string =>
    `Bearer realm="r", error="insufficient_user_authentication", error_description="No", ${demand}`

  /** An API whose paths name what it demands, and an issuer whose step-ups prove it. */
  beforeEach(async () => {
    demands = []
    proved = new Set()
    await stage.client.login(ada)
    let count = 0
    stage.server.instead = ({ route, body }: Asked, response) => {
      const demand = /^(?:GET|POST) \/needs\?(.+)$/.exec(route)?.[1]
      if (demand !== undefined) {
        const texts = decodeURIComponent(demand)
        if (proved.has(texts)) return Boolean(response.end('strong'))
        response.writeHead(401, { 'www-authenticate': insufficient(texts) }).end('weak')
        return true
      }
      const form = new URLSearchParams(body)
      if (route !== 'POST /auth/token' || form.has('refresh_token')) return false
      const [values, age] = [form.get('acr_values'), form.get('max_age')]
      const asked = [
        ...(values === null ? [] : [`acr_values="${values}"`]),
        ...(age === null ? [] : [`max_age="${age}"`]),
      ].join(', ')
      if (asked !== '' && !form.has('otp')) {
        demands.push(asked)
        const next = { error: 'insufficient_authorization', methods: ['otp'] }
        return Boolean(response.writeHead(403).end(JSON.stringify(next)))
      }
      proved.add(asked)
      const session = tokenOf(`session ${++count}`)
      const tokens = { access_token: session, refresh_token: 'r', expires_in: 600 }
      return Boolean(response.end(JSON.stringify(tokens)))
    }
  })
  const needs = (demand: string): string =>
    `${stage.server.origin}/needs?${encodeURIComponent(demand)}`
  const [mfa, recent] = ['acr_values="mfa"', 'max_age="60"']
  const obey = (): (() => void) =>
    stage.client.onStepUp(async ({ next }) => {
      assert.ok(next.step === 'proveFactor')
      await next.proveFactor({ otp: '123456' })
    })

  it('the handler gets what the challenge demands, and the call is repeated once', async () => {
    const asked: LoginDemand[] = []
    stage.client.onStepUp(async ({ next, ...demand }) => {
      asked.push(demand)
      assert.ok(next.step === 'proveFactor')
      await next.proveFactor({ otp: '123456' })
    })
    for (const demand of ['acr_values="phr mfa", max_age="0"', recent, mfa])
      assert.equal(await (await stage.client.fetch(needs(demand))).text(), 'strong')
    assert.deepEqual(asked, [
      { acr: ['phr', 'mfa'], maxAgeSeconds: 0 },
      { maxAgeSeconds: 60 },
      { acr: ['mfa'] },
    ])
    assert.equal(refreshes(), 0)
  })

  it('an API that is never satisfied gets the call twice, and the app gets its 401', async () => {
    obey()
    const answer = await stage.client.fetch(needs('acr_values="mfa", scope="x"'))
    assert.equal(answer.status, 401)
    assert.deepEqual(demands, [mfa])
    const calls = stage.server.asked.filter(({ route }) => route.startsWith('GET /needs'))
    assert.equal(calls.length, 2)
  })

  it('calls with other demands wait for the step-up that runs, and then ask for their own', async () => {
    let open = 0
    stage.client.onStepUp(async ({ next }) => {
      assert.equal(++open, 1, 'one dialog at a time')
      assert.ok(next.step === 'proveFactor')
      await next.proveFactor({ otp: '123456' })
      open--
    })
    const answers = await Promise.all(
      [mfa, recent, mfa].map((one) => stage.client.fetch(needs(one))),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.deepEqual(demands.toSorted(), [mfa, recent])
  })

  it('a call that waits for a step-up which the person closes gets its 401', async () => {
    let asked = 0
    stage.client.onStepUp(async () => asked++)
    const answers = await Promise.all([mfa, mfa].map((one) => stage.client.fetch(needs(one))))
    assert.deepEqual(await Promise.all(answers.map((one) => one.text())), ['weak', 'weak'])
    assert.equal(asked, 1)
  })

  it('only the newest handler is asked, and a removed one no more', async () => {
    const names: string[] = []
    const add = (name: string): (() => void) =>
      stage.client.onStepUp(async () => void names.push(name))
    const [, removeSecond] = [add('first'), add('second')]
    await stage.client.fetch(needs(mfa))
    removeSecond()
    removeSecond()
    await stage.client.fetch(needs(mfa))
    assert.deepEqual(names, ['second', 'first'])
  })

  it('a request whose body is a stream asks for no step-up', async () => {
    stage.client.onStepUp(() => assert.fail('the request cannot be repeated'))
    const body = new Blob(['lamp']).stream()
    const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
    assert.equal((await stage.client.fetch(needs(mfa), init)).status, 401)
  })

  it('the challenge of another origin, after a redirect, asks for no step-up', async (t) => {
    const other = await startTokenServer()
    t.after(() => other.close())
    other.instead = (_asked, response) =>
      Boolean(response.writeHead(401, { 'www-authenticate': insufficient(mfa) }).end())
    stage.server.instead = ({ route }, response) =>
      route === 'GET /items' &&
      Boolean(response.writeHead(307, { location: `${other.origin}/items` }).end())
    stage.client.onStepUp(() => assert.fail('another origin must not cause a dialog'))
    assert.equal((await stage.client.fetch(items())).status, 401)
    assert.equal(bearers().length, 1)
  })

  it('without a user, a call asks for no step-up', async () => {
    await stage.client.logout()
    stage.client.onStepUp(() => assert.fail('no user is signed in'))
    assert.equal((await stage.client.fetch(needs(mfa))).status, 401)
  })
})
