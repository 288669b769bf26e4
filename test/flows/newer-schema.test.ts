// A newer release contracts the tables while this release runs: it raises the schema mark.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { describeOnBoth, type Answer } from '../../packages/server/test-support/keystile.ts'

describeOnBoth('a running server that becomes too old for the schema of its database', (stage) => {
  /** Repeats a request until its answer has a status. */
  async function until(status: number, ask: () => Promise<Answer>): Promise<Answer> {
    for (let left = 100; ; left--) {
      const answer = await ask()
      if (answer.status === status) return answer
      assert.ok(left > 0, `${answer.status} ${answer.text}`)
      await delay(50)
    }
  }
  const count = async (table: string): Promise<unknown> =>
    (await stage.sql(`select count(*) as n from ${table}`))[0]?.['n']

  it('a server returns 503 for writes while its database demands a newer release', async () => {
    const { login, refresh, register, tokens } = await stage.start()
    const { refreshToken } = await tokens()
    await stage.sql(`update schema_mark set oldest = 9998, release = '9.0.0'`)
    await until(503, login)
    const before = [await count('session'), await count('audit'), await count('refresh_token')]

    assert.equal((await login()).status, 503)
    assert.equal((await refresh(refreshToken)).status, 503)
    assert.equal((await register({ username: 'bob', email: 'bob@example.com' })).status, 503)
    const later = [await count('session'), await count('audit'), await count('refresh_token')]
    assert.deepEqual(later, before)

    await stage.sql('update schema_mark set oldest = 16')
    await until(200, () => refresh(refreshToken))
    assert.equal((await login()).status, 200)
  })
})
