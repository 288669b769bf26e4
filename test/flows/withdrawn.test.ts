import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../../tools/until.ts'
import { byOperator } from '../../packages/server/test-support/whole-server.ts'
import { describeOnOne, serverHashing } from '../../packages/server/test-support/keystile.ts'

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
