// Tests the recipes for frameworks that use web Requests: calls each handler as its framework does.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

process.env['DATABASE'] = ':memory:'
const { keystile } = await import('./web-handlers/auth.ts')
const auth = await import('./web-handlers/next-auth-route.ts')
const next = await import('./web-handlers/next-item-route.ts')
const svelteKit = await import('./web-handlers/sveltekit-server.ts')
const reactRouter = await import('./web-handlers/react-router-loader.ts')

const password = 'an engine of her own'
let headers: { readonly authorization: string }

before(async () => {
  const person = JSON.stringify({ username: 'ada', email: 'ada@example.com', password })
  const json = { 'content-type': 'application/json' }
  const url = 'http://localhost:3000/auth'
  assert.equal(
    (await auth.POST(new Request(`${url}/users`, { method: 'POST', body: person, headers: json })))
      .status,
    201,
  )
  const form = new URLSearchParams({ username: 'ada', password })
  const login = await auth.POST(new Request(`${url}/token`, { method: 'POST', body: form }))
  const { access_token } = (await login.json()) as { access_token: string }
  headers = { authorization: `Bearer ${access_token}` }
})
after(() => keystile.close())

const url = 'http://localhost:3000/items/7'
const params = { id: '7' }
const handlers: Readonly<Record<string, (request: Request) => Promise<Response>>> = {
  'next-item-route': (request) => next.GET(request, { params: Promise.resolve(params) }),
  'sveltekit-server': (request) => svelteKit.GET({ request, params }),
  'react-router-loader': (request) => reactRouter.loader({ request, params }),
}

for (const [name, handle] of Object.entries(handlers)) {
  describe(`examples/web-handlers/${name}`, () => {
    it(`${name} gives the handler the caller and the framework’s route parameters`, async () => {
      for (let time = 0; time < 2; time++) {
        const response = await handle(new Request(url, { headers }))
        assert.deepEqual([response.status, await response.json()], [200, { id: '7', owner: 'ada' }])
      }
    })

    it(`${name} refuses a bad token, and needs a token unless the guard is optional`, async () => {
      const bad = await handle(new Request(url, { headers: { authorization: 'Bearer abc' } }))
      assert.equal(bad.status, 401)
      assert.match(bad.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
      assert.equal(
        (await handle(new Request(url))).status,
        name === 'react-router-loader' ? 200 : 401,
      )
    })
  })
}

describe('examples/web-handlers/next-item-route', () => {
  it('examples/next-item-route deletes no item for a token that lacks the scope', async () => {
    const response = await next.DELETE(new Request(url, { method: 'DELETE', headers }))
    assert.equal(response.status, 403)
  })
})
