import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  createTestClock,
  describeOnBoth,
  describeOnOne,
  issuer,
  serverHashing,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { appCode } from '../../packages/server/test-support/second-factor.ts'
import { byOperator } from '../../packages/server/test-support/whole-server.ts'
import { until } from '../../tools/until.ts'

const scopes = { 'items:write': 'Change items' }

describeOnOne('PostgreSQL', 'scopes that are withdrawn while logins are in flight', (stage) => {
  it('a login gets no scopes that the user loses while the login runs', async () => {
    const { users, keystile, login, open, tokens } = await stage.start({
      scopes,
      passwordHashing: serverHashing,
    })
    const { subject } = await tokens('bob')
    for (let round = 0; round < 5; round++) {
      const granted = (await users.findByLogin('bob'))!
      assert.equal(await users.change(granted, { scopes: ['items:write'] }, byOperator), 'changed')
      const held = (await users.findByLogin('bob'))!
      const issued: string[] = []
      const done = new AbortController()
      const logins = Array.from({ length: 3 }, async () => {
        while (!done.signal.aborted) {
          const { status, json } = await login({ username: 'bob' })
          if (status === 200) issued.push(json['access_token'])
        }
      })
      const creates = async (): Promise<void> => {
        while (!done.signal.aborted)
          issued.push((await keystile.sessions.create({ subject })).accessToken)
      }
      const under = [...logins, creates(), creates()]
      await until(() => issued.length >= 20)
      assert.equal(
        await users.change(held, { scopes: [], endsSessions: true }, byOperator),
        'changed',
      )
      done.abort()
      await Promise.all(under)
      const opened = await Promise.all(issued.map((bearer) => open(['items:write'], { bearer })))
      assert.deepEqual(opened.filter(({ status }) => status === 200).length, 0)
    }
  })
})

describeOnBoth('a session that ends while its request is in flight', (stage) => {
  /** Sends a request whose body arrives after `meanwhile`. Returns the status of the answer. */
  async function sendLate(
    { keystile }: TestKeystile,
    [method, path]: readonly [string, string],
    {
      bearer,
      json,
      meanwhile,
    }: { bearer: string; json: object; meanwhile: () => Promise<unknown> },
  ): Promise<number | undefined> {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const answer = await keystile.answer({
      method,
      url: `${new URL(issuer).pathname}${path}`,
      headers: new Headers(headers),
      body: async () => {
        await meanwhile()
        return new TextEncoder().encode(JSON.stringify(json))
      },
    })
    return answer?.status
  }
  const begin = async ({ send }: TestKeystile, bearer: string): Promise<string> => {
    const begun = await send('POST', '/users/me/factors/totp', { bearer })
    assert.equal(begun.status, 200)
    return begun.json['secret'] as string
  }

  it('a body that arrives after the session has ended changes nothing', async () => {
    const clock = createTestClock()
    const started = await stage.start({ clock, secondFactor: 'optional' })
    const { keystile, tokens, send } = started
    const { accessToken: bearer, subject } = await tokens()
    const code = appCode(await begin(started, bearer), clock)
    const meanwhile = (): Promise<void> => keystile.sessions.revokeAll(subject)
    const confirm = ['POST', '/users/me/factors/totp/confirm'] as const
    assert.equal(await sendLate(started, confirm, { bearer, json: { code }, meanwhile }), 401)
    assert.deepEqual(
      await stage.sql("select * from authenticator_app where state = 'confirmed'"),
      [],
    )

    const other = (await tokens()).accessToken
    const json = { username: 'other' }
    assert.equal(
      await sendLate(started, ['PATCH', '/users/me'], { bearer: other, json, meanwhile }),
      401,
    )
    assert.equal((await send('GET', '/users/me', { bearer: other })).status, 401)
  })

  it('a session that another process has just ended sets up and removes nothing', async () => {
    const clock = createTestClock()
    const one = await stage.start({ clock, secondFactor: 'optional' })
    const two = await stage.start({ clock, secondFactor: 'optional' })
    const { accessToken: bearer, subject } = await one.tokens()
    const code = appCode(await begin(one, bearer), clock)
    // As if this process had not read the event yet.
    await stage.sql(`update session set ended_at = 1 where subject = '${subject}'`)
    const json = { code }
    const confirmed = await two.send('POST', '/users/me/factors/totp/confirm', { bearer, json })
    assert.equal(confirmed.status, 409)
    assert.notEqual((await two.send('DELETE', '/users/me', { bearer })).status, 204)
    await one.send('POST', '/users/me/factors/totp', { bearer })
    const apps = await stage.sql('select state from authenticator_app')
    assert.equal(apps.filter(({ state }) => state === 'confirmed').length, 0)
    assert.equal((await one.login()).status, 200)
  })
})
