// Measures whether response times reveal which user names exist. Runs only with KEYSTILE_LONG=1.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { areaUnderCurve } from '../../packages/server/test-support/area-under-curve.ts'
import {
  createTestClock,
  describeOnBoth,
  password,
} from '../../packages/server/test-support/keystile.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'runs only with KEYSTILE_LONG=1'
const count = 2_000

describeOnBoth('enumeration', (stage) => {
  it(
    `response times are the same for ${count} known and ${count} unknown user names`,
    { skip },
    async (t) => {
      const { register, send, keystile } = await stage.start({
        rateLimits: 'on',
        clock: createTestClock(),
      })
      for (let n = 0; n < count; n += 4) {
        const registered = Array.from({ length: 4 }, (_, i) =>
          register({ username: `user-${n + i}`, email: `user-${n + i}@example.com` }),
        )
        for (const { status } of await Promise.all(registered)) assert.equal(status, 201)
      }
      const times: Record<'user' | 'none', number[]> = { user: [], none: [] }
      for (let n = 0; n < 200; n++)
        await send('POST', '/token', { form: { username: `warm-${n}`, password } })
      for (let n = 0; n < count; n++) {
        // The order is random: if the machine gets slower, both kinds are affected equally.
        const order =
          Math.random() < 0.5 ? (['user', 'none'] as const) : (['none', 'user'] as const)
        for (const kind of order) {
          const began = performance.now()
          const { status } = await send('POST', '/token', {
            form: { username: `${kind}-${n}`, password: 'not the password' },
          })
          times[kind].push(performance.now() - began)
          assert.equal(status, 400)
        }
      }
      const area = areaUnderCurve(times.user, times.none)
      t.diagnostic(`${stage.kind}: the area under the curve is ${area.toFixed(3)}`)
      assert.ok(area > 0.45 && area < 0.55, String(area))
      await keystile.close()
    },
  )
})
