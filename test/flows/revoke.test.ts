import assert from 'node:assert/strict'
import { it } from 'node:test'
import { skipOfOneProcess } from '../../packages/server/test-support/in-turns.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  tokensOf,
  type Tokens,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

describeOnBoth(
  'POST /revoke (RFC 7009)',
  (stage) => {
    for (const which of ['accessToken', 'refreshToken'] as const) {
      for (const hint of [undefined, 'access_token', 'refresh_token', 'nonsense']) {
        it(`POST /revoke ends the session of the ${which}, hint: ${hint ?? 'none'}`, async () => {
          const { tokens, send, open, refresh } = await stage.start()
          const made = await tokens()
          const form = { token: made[which], ...(hint !== undefined && { token_type_hint: hint }) }
          const { status, text, headers } = await send('POST', '/revoke', { form })
          assert.deepEqual([status, text, headers.get('cache-control')], [200, '{}', 'no-store'])
          const { status: opened, json } = await open([], { bearer: made.accessToken })
          assert.deepEqual([opened, json['detail']], [401, 'Token has been revoked'])
          assert.equal((await refresh(made.refreshToken)).json['error'], 'invalid_grant')
          // Revoking again is not an error.
          assert.equal((await send('POST', '/revoke', { form })).status, 200)
        })
      }
    }

    it('POST /revoke ends the session of a refresh token that has already been used', async () => {
      const { tokens, send, refresh } = await stage.start()
      const { refreshToken } = await tokens()
      const successor = (await refresh(refreshToken)).json['refresh_token']
      assert.equal((await send('POST', '/revoke', { form: { token: refreshToken } })).status, 200)
      assert.equal((await refresh(successor)).status, 400)
    })

    const skip = skipOfOneProcess
    it(
      'after POST /revoke, a process refuses the token before it reads any event',
      { skip },
      async () => {
        const { tokens, send, open } = await stage.start()
        const { accessToken } = await tokens()
        await stage.sql('alter table feed rename to feed_elsewhere')
        try {
          const { status } = await send('POST', '/revoke', { form: { token: accessToken } })
          assert.equal(status, 200)
          assert.equal((await open([], { bearer: accessToken })).status, 401)
        } finally {
          await stage.sql('alter table feed_elsewhere rename to feed')
        }
      },
    )

    // On a machine that is not busy, this takes less than a second: events.test.ts proves how often
    // a process reads events.
    it('after POST /revoke, another process refuses the token', async () => {
      const [one, other] = [await stage.start(), await stage.start()]
      const { accessToken, refreshToken } = await one.tokens()
      assert.equal((await other.open([], { bearer: accessToken })).status, 200)
      await one.send('POST', '/revoke', { form: { token: refreshToken } })
      assert.equal((await other.refresh(refreshToken)).status, 400)
      await until(async () => (await other.open([], { bearer: accessToken })).status === 401)
    })

    it('POST /revoke returns 200 for a wrong token and ends nothing (RFC 7009 §2.2)', async () => {
      const clock = createTestClock()
      const { tokens, send, refresh } = await stage.start({ clock })
      const { refreshToken, accessToken } = await tokens()
      const [id, secret] = refreshToken.split('.') as [string, string]
      const [header, payload] = accessToken.split('.')
      for (const token of [
        'x',
        `${id}.${'A'.repeat(43)}`,
        `${'A'.repeat(22)}.${secret}`,
        `${header}.${payload}.${'A'.repeat(86)}`,
        id,
      ]) {
        assert.equal((await send('POST', '/revoke', { form: { token } })).status, 200, token)
      }
      // An expired access token ends no session.
      clock.advance(700)
      assert.equal((await send('POST', '/revoke', { form: { token: accessToken } })).status, 200)
      assert.equal((await refresh(refreshToken)).status, 200)
    })

    it('POST /revoke refuses an unknown client, and a request without a token', async () => {
      const { tokens, send, refresh } = await stage.start()
      const { refreshToken: token } = await tokens()
      const post = async (
        form: Record<string, string>,
        headers = {},
      ): Promise<readonly unknown[]> => {
        const { status, json } = await send('POST', '/revoke', { form, headers })
        return [status, json['error']]
      }
      assert.deepEqual(await post({}), [400, 'invalid_request'])
      assert.deepEqual(await post({ token: '' }), [400, 'invalid_request'])
      assert.deepEqual(await post({ token, client_id: 'stranger' }), [401, 'invalid_client'])
      assert.deepEqual(await post({ token, client_secret: 'x' }), [401, 'invalid_client'])
      assert.deepEqual(await post({ token }, { authorization: 'Basic Zmlyc3QtcGFydHk6eA==' }), [
        401,
        'invalid_client',
      ])
      assert.equal((await refresh(token)).status, 200)
    })

    it('POST /revoke accepts the client `first-party` in the header and in the body', async () => {
      const { tokens, login, send, refresh } = await stage.start()
      await tokens()
      const headers = { authorization: `Basic ${Buffer.from('first-party:').toString('base64')}` }
      for (const [form, options] of [
        [{}, { headers }],
        [{ client_id: 'first-party' }, {}],
        [{ client_id: 'first-party', client_secret: '' }, {}],
      ] as const) {
        const { refreshToken: token } = tokensOf((await login()).json)
        assert.equal(
          (await send('POST', '/revoke', { ...options, form: { token, ...form } })).status,
          200,
        )
        assert.equal((await refresh(token)).status, 400)
      }
    })

    it('POST /revoke does not end other sessions of the user', async () => {
      const { tokens, login, send, refresh } = await stage.start()
      const one = await tokens()
      const other: Tokens = tokensOf((await login()).json)
      await send('POST', '/revoke', { form: { token: one.accessToken } })
      assert.equal((await refresh(other.refreshToken)).status, 200)
    })
  },
  bothDirectories,
)
