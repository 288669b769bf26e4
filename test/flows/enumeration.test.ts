// Measures whether response times reveal which user names and addresses exist, and who has a second
// factor. Runs only with KEYSTILE_LONG=1.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { areaUnderCurve } from '../../packages/server/test-support/area-under-curve.ts'
import {
  createTestClock,
  describeOnBoth,
  password,
  serverHashing,
} from '../../packages/server/test-support/keystile.ts'
import { giveApps } from '../../packages/server/test-support/second-factor.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'runs only with KEYSTILE_LONG=1'
const count = 2_000

describeOnBoth('enumeration', (stage) => {
  it(
    `${count} known and ${count} unknown user names have the same response times on a quiet machine`,
    { skip },
    async (t) => {
      const clock = createTestClock()
      const { register, send, keystile } = await stage.start({
        rateLimits: 'on',
        clock,
        passwordHashing: serverHashing,
      })
      for (let n = 0; n < count; n += 4) {
        const registered = Array.from({ length: 4 }, (_, i) =>
          register({ username: `user-${n + i}`, email: `user-${n + i}@example.com` }),
        )
        for (const { status } of await Promise.all(registered)) assert.equal(status, 201)
        clock.advance(8) // The server accepts one registration each 2 s.
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

  it(
    `registrations take the same time for ${count} taken and ${count} free addresses on a quiet machine`,
    { skip },
    async (t) => {
      const { keystile, send } = await stage.start({
        emailVerification: 'required',
        passwordHashing: serverHashing,
        mail: { from: 'no-reply@example.com', send: () => undefined },
      })
      const { users } = keystile
      assert.ok(users)
      for (let n = 0; n < count; n += 4) {
        const created = Array.from({ length: 4 }, (_, i) => `user-${n + i}`).map((username) =>
          users.create({ username, email: `${username}@example.com`, password }),
        )
        await Promise.all(created)
      }
      const times: Record<'user' | 'free', number[]> = { user: [], free: [] }
      for (let n = -100; n < count; n++) {
        const order =
          Math.random() < 0.5 ? (['user', 'free'] as const) : (['free', 'user'] as const)
        for (const kind of order) {
          const username = `${kind}-${Math.abs(n)}`
          const json = { username, email: `${username}@example.com`, password }
          const began = performance.now()
          const { status } = await send('POST', '/users', { json })
          if (n >= 0) times[kind].push(performance.now() - began)
          assert.equal(status, 202)
        }
      }
      const area = areaUnderCurve(times.user, times.free)
      t.diagnostic(`${stage.kind}: the area under the curve is ${area.toFixed(3)}`)
      assert.ok(area > 0.45 && area < 0.55, String(area))
      await keystile.close()
    },
  )

  it(
    `${count} wrong passwords take the same time with and without a second factor on a quiet machine`,
    { skip },
    async (t) => {
      const { keystile, send } = await stage.start({ passwordHashing: serverHashing })
      const kinds = ['with', 'without'] as const
      const ids: string[] = []
      for (const kind of kinds)
        for (let n = 0; n < 50; n++) {
          const user = await keystile.users?.create({ username: `${kind}-${n}`, password })
          ids.push(user?.id ?? '')
        }
      await giveApps(stage, ids.slice(0, 50))
      const times: Record<(typeof kinds)[number], number[]> = { with: [], without: [] }
      for (let n = -100; n < count; n++)
        for (const kind of Math.random() < 0.5 ? kinds : kinds.toReversed()) {
          const form = { username: `${kind}-${Math.abs(n) % 50}`, password: 'not the password' }
          const began = performance.now()
          const { status } = await send('POST', '/token', { form })
          if (n >= 0) times[kind].push(performance.now() - began)
          assert.equal(status, 400)
        }
      const area = areaUnderCurve(times.with, times.without)
      t.diagnostic(`${stage.kind}: the area under the curve is ${area.toFixed(3)}`)
      assert.ok(area > 0.45 && area < 0.55, String(area))
    },
  )
})
