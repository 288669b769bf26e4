import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createKeystile } from '../../../server/create-keystile.ts'

const issuer = 'http://localhost:3000/a&lt/auth'

async function open(t: TestContext, options: { readonly docs?: 'on' | 'off' }) {
  const keystile = await createKeystile({ issuer, database: ':memory:', ...options })
  t.after(() => keystile.close())
  return (path: string, method = 'GET') =>
    keystile.fetch(new Request(new URL(issuer).origin + path, { method }))
}

const page = '/a&lt/auth/docs'

describe('createKeystile({ docs })', () => {
  it("with docs: 'on', Swagger UI and the OpenAPI document are below the issuer", async (t) => {
    const ask = await open(t, { docs: 'on' })
    const shown = await (await ask(page)).text()
    assert.match(shown, /<title>Keystile<\/title>/)
    assert.ok(shown.includes('src="/a&#38;lt/auth/docs/start.js"'), shown)
    assert.match(await (await ask(`${page}/start.js`)).text(), /url: "\/a&lt\/auth\/openapi\.json"/)

    const described = await ask('/a&lt/auth/openapi.json')
    assert.equal(described.headers.get('content-type'), 'application/json')
    const { paths } = (await described.json()) as { readonly paths: object }
    assert.ok('/a&lt/auth/token' in paths)

    const head = await ask(page, 'HEAD')
    assert.deepEqual([head.status, await head.text()], [200, ''])
    for (const [path, method] of [
      [page, 'POST'],
      [`${page}/none`, 'GET'],
      ['/docs', 'GET'],
      ['/openapi.json', 'GET'],
    ] as const)
      assert.equal((await ask(path, method)).status, 404, `${method} ${path}`)
  })

  it("without docs, or with docs: 'off', an app has no /docs and no /openapi.json", async (t) => {
    for (const options of [{}, { docs: 'off' }] as const) {
      const ask = await open(t, options)
      for (const path of [page, `${page}/start.js`, '/a&lt/auth/openapi.json'])
        assert.equal((await ask(path)).status, 404, path)
    }
  })
})
