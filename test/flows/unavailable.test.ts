import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { password, startKeystile, key } from '../support/keystile.ts'
import { startPostgres, howToGetPostgres } from '../support/postgres.ts'

const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL'] ? false : `no PostgreSQL: ${howToGetPostgres}`

describe('a PostgreSQL that stops', { skip }, () => {
  it('makes every endpoint that needs it answer 503 with Retry-After, never 401, and the process goes on', async () => {
    const postgres = await startPostgres({ durable: true })
    assert.ok(postgres, howToGetPostgres)
    const pool = new pg.Pool({ connectionString: postgres.url, connectionTimeoutMillis: 1_000 })
    const { keystile, accessToken, send, login, register } = await startKeystile({ database: pool, key })
    const bearer = await accessToken()
    await postgres.stop()
    const answers = [
      await login(),
      await register({ username: 'other', email: 'other@example.com' }),
      // A user that was just read is known for 5 s; a token that was never seen needs the database for its user.
      await send('GET', '/users/me', { bearer }).then((answer) => (answer.status === 200 ? undefined : answer)),
    ]
    for (const answer of answers) {
      if (!answer) continue
      assert.equal(answer.status, 503, answer.text)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.doesNotMatch(answer.text, /ECONN|postgres|pg_|select|127\.0\.0\.1/i)
      assert.ok(!answer.text.includes(password))
    }
    assert.equal((await send('GET', '/.well-known/jwks.json')).status, 200)
    await keystile.close()
    await pool.end()
  })
})
