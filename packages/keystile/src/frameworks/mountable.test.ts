import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createVerifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { mount as mountInExpress } from './express/guard.ts'
import { createGuard as createFastifyGuard, mount as mountInFastify } from './fastify/guard.ts'
import { createGuard as createHonoGuard, mount as mountInHono } from './hono/guard.ts'
import type { Mountable } from './mountable.ts'
import { mount as mountInNode } from './node/guard.ts'
import { createGuard as createWebGuard, mount as mountInWeb } from './web/guard.ts'

const mounts = { mountInExpress, mountInFastify, mountInHono, mountInNode, mountInWeb }
const verifier = createVerifier({
  issuer: 'i',
  audience: 'a',
  keys: keySetOf([generateKey('ES256')]),
  revocations: 'none',
})

describe('mount()', () => {
  for (const [name, mount] of Object.entries(mounts)) {
    it(`${name} refuses a promise and says that await is missing`, () => {
      assert.throws(() => mount(Promise.resolve() as unknown as Mountable), {
        name: 'TypeError',
        message:
          'the argument of mount() must be the object from createKeystile(); it is a promise. ' +
          'Fix: mount(await createKeystile(…))',
      })
    })

    it(`${name} refuses a value without a method answer(), and names the value’s type`, () => {
      assert.throws(() => mount(undefined as unknown as Mountable), {
        name: 'TypeError',
        message:
          'the argument of mount() must be the object from createKeystile() or from ' +
          'protectedResource(); it is undefined',
      })
    })

    it(`${name} calls onMount immediately, and throws an error that onMount throws`, () => {
      const answer = async (): Promise<undefined> => {}
      const onMount = (): void => {
        throw new TypeError('from onMount')
      }
      assert.throws(() => mount({ answer, onMount }), { message: 'from onMount' })
    })
  }
})

describe('guards in unusual places of a framework', () => {
  it('a Fastify guard in an onResponse hook throws, because the answer has been sent', async () => {
    const guard = createFastifyGuard({ verifier })
    const logged: string[] = []
    const stream = { write: (line: string) => void logged.push(line) }
    const app = Fastify({ logger: { level: 'error', stream } })
    app.get('/', { onResponse: guard() }, async () => 'ok')
    assert.equal((await app.inject('/')).statusCode, 200)
    await app.close()
    assert.match(logged.join(''), /a guard must run before the answer, as an onRequest hook/)
  })

  it('onRefused of a Hono guard gets the matching route’s path, not the middleware’s', async () => {
    const routes: (string | undefined)[] = []
    const guard = createHonoGuard({ verifier, onRefused: ({ route }) => void routes.push(route) })
    const app = new Hono().use('*', guard()).get('/items/:id', (c) => c.text('ok'))
    await app.request('/items/7')
    await app.request('/elsewhere')
    assert.deepEqual(routes, ['/items/:id', '/*'])

    const later = new Hono().get('/items/:id', guard(), (c) => c.text('ok')).use('*', guard())
    await later.request('/items/7')
    assert.equal(routes.at(-1), '/items/:id')
  })

  it('guard.check for web handlers refuses a Request without a token', async () => {
    const guard = createWebGuard({ verifier })
    const decision = await guard.check(new Request('http://localhost/'))
    assert.equal(decision.allowed, false)
  })
})
