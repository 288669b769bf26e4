// A newer release contracts the tables while this release runs: it raises the schema mark.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeOnBoth } from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

describeOnBoth('a running server that becomes too old for the schema of its database', (stage) => {
  const count = async (table: string): Promise<unknown> =>
    (await stage.sql(`select count(*) as n from ${table}`))[0]?.['n']

  it('a server returns 503 for writes while its database demands a newer release', async () => {
    const { login, refresh, register, tokens } = await stage.start()
    const { refreshToken } = await tokens()
    await stage.sql(`update schema_mark set oldest = 9998, release = '9.0.0'`)
    await until(async () => (await login()).status === 503)
    const before = [await count('session'), await count('audit'), await count('refresh_token')]

    assert.equal((await login()).status, 503)
    assert.equal((await refresh(refreshToken)).status, 503)
    assert.equal((await register({ username: 'bob', email: 'bob@example.com' })).status, 503)
    const later = [await count('session'), await count('audit'), await count('refresh_token')]
    assert.deepEqual(later, before)

    await stage.sql('update schema_mark set oldest = 16')
    await until(async () => (await refresh(refreshToken)).status === 200)
    assert.equal((await login()).status, 200)
  })
})
