// Many logins at the same time, and meanwhile requests of other callers.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { skipOfOneProcess } from '../../packages/server/test-support/in-turns.ts'
import {
  describeOnBoth,
  password,
  serverHashing,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

/** A sender with a known address, and a sender with an unknown address. */
const storming = [{ remoteAddress: '192.0.2.1' }, {}]
const size = 200

describeOnBoth('a storm of logins', (stage) => {
  const skip = skipOfOneProcess
  it(
    'in a flood of logins, each login gets 200 or 503; other IP addresses do not wait',
    { skip },
    async () => {
      const { tokens, send } = await stage.start({ passwordHashing: serverHashing })
      const { accessToken } = await tokens()
      const form = { username: 'ada', password }
      let loggedIn = 0
      const storm = Array.from({ length: size }, async (_, n) => {
        const answer = await send('POST', '/token', { form, ...storming[n % 2], isSentOnce: true })
        if (answer.status === 200) loggedIn++
        return answer
      })
      const others: readonly (readonly [number, () => Promise<Answer>])[] = [
        [200, () => send('POST', '/token', { form, remoteAddress: '192.0.2.2' })],
        [
          201,
          () => {
            const json = { username: 'eve', email: 'eve@example.com', password }
            return send('POST', '/users', { json, remoteAddress: '192.0.2.3' })
          },
        ],
        [
          403,
          () => {
            const json = { current_password: `${password}!`, new_password: `${password}?` }
            return send('POST', '/users/me/password', {
              json,
              bearer: accessToken,
              remoteAddress: '2001:db8::1',
            })
          },
        ],
      ]
      for (const [status, ask] of others) {
        // On a busy machine, even these callers may have to wait for more than two seconds.
        const answer = await until(async () => {
          const answer = await ask()
          return answer.status !== 503 && answer
        })
        assert.equal(answer.status, status, answer.text)
        assert.ok(loggedIn < size / 4, `${loggedIn} of the storm came first`)
      }
      for (const { status, headers, json } of await Promise.all(storm)) {
        if (status === 200) continue
        assert.equal(status, 503)
        assert.equal(json['error'], 'temporarily_unavailable')
        assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      }
    },
  )
})
