import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { pagesOf, testOptions } from '../../test-support/start-options.ts'
import { createMetrics } from '../features/operations/metrics/metrics.ts'
import type { StartOptions } from '../features/pages/start-page/start-options.ts'
import { requests, requestSeconds } from './metrics.ts'
import { createStandAlone } from './stand-alone.ts'

const request = (url: string, method = 'GET', headers = {}): HttpRequestWithBody => ({
  method,
  url,
  headers: new Headers(headers),
  body: () => assert.fail('no body is read'),
})

const location = '/auth/account/password'
const answers = new Map<string, HttpAnswer>([
  ['/token', { status: 299, headers: {} }],
  ['/auth/.well-known/change-password', { status: 302, headers: { location } }],
])

function create(
  reasons: readonly string[] = [],
  readMetrics?: () => Promise<string>,
  options: StartOptions = testOptions,
) {
  const { answer, routeOf } = createStandAlone(
    {
      keystile: {
        answer: async ({ url }) => answers.get(url),
        close: async () => {},
      },
      options,
      pages: pagesOf(options),
      hasAdministrator: async () => true,
      findUnreadiness: async () => reasons,
      readGauges: () => [],
      routeOf: ({ url }) => (url === '/users/1' ? '/users/{id}' : undefined),
    },
    { readMetrics },
  )
  return {
    routeOf: (url: string) => routeOf(request(url)),
    async answer(url: string, method?: string, asked?: Readonly<Record<string, string>>) {
      const { status, headers, body } = await answer(request(url, method, asked))
      return { status, headers, body: body && String(body) }
    },
  }
}

describe('createStandAlone', () => {
  it('createStandAlone answers its own paths, and asks Keystile for all other paths', async () => {
    const { answer } = create()
    assert.equal((await answer('/token', 'POST')).status, 299)
    for (const method of ['GET', 'HEAD']) {
      assert.deepEqual(await answer('/healthz?x', method), {
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
        body: '{"status":"ok"}',
      })
      assert.equal((await answer('/readyz', method)).body, '{"status":"ready"}')
    }
    for (const [url, method] of [
      ['/healthz', 'POST'],
      ['/readyz', 'DELETE'],
      ['/metrics', 'GET'],
      ['/none', 'GET'],
      ['*', 'GET'],
    ] as const) {
      const { status, body } = await answer(url, method)
      assert.equal(status, 404, `${method} ${url}`)
      assert.match(body ?? '', /There is nothing here/)
    }
  })

  it('/.well-known/change-password leads below the issuer, also from the root of its origin', async () => {
    const path = '/.well-known/change-password'
    const answerBelow = async (issuer: string): Promise<readonly unknown[]> => {
      const { answer, routeOf } = create([], undefined, { ...testOptions, issuer })
      const { status, headers } = await answer(path)
      return [status, headers['location'], routeOf(path)]
    }
    assert.deepEqual(await answerBelow('http://localhost:8000/auth'), [302, location, path])
    assert.equal((await answerBelow('http://localhost:8000/other'))[0], 404)
  })

  it('if the server is not ready, /readyz gives 503 with all reasons and Retry-After', async () => {
    const { status, headers, body } = await create(['one', 'two']).answer('/readyz')
    assert.deepEqual([status, headers['retry-after'], body], [503, '1', '{"status":"one; two"}'])
  })

  it('the stand-alone server has /metrics only if it gets a function to read metrics', async () => {
    const { answer, routeOf } = create([], async () => 'x 1\n')
    assert.deepEqual(await answer('/metrics'), {
      status: 200,
      headers: {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'cache-control': 'no-store',
      },
      body: 'x 1\n',
    })
    assert.deepEqual([routeOf('/metrics'), create().routeOf('/metrics')], ['/metrics', '-'])
  })

  it('before the first request, the metrics of requests have no line for a route', (t) => {
    const counts = createMetrics([requests, requestSeconds])
    t.after(() => counts.close())
    assert.doesNotMatch(counts.read([]), /route=/)
    assert.deepEqual(requests.labels, { route: [], status: [] })
    assert.deepEqual(requestSeconds.labels, { route: [] })
  })

  it('at the root and at unknown paths, a browser gets a page and others get JSON', async () => {
    const auth = { ...testOptions, issuer: 'https://auth.example/v1' }
    for (const [options, starts, unknown] of [
      [testOptions, ['/'], ['/account', '/account/', '/account/none?x', '/nothing']],
      [auth, ['/', '/v1', '/v1/'], ['/v1/account', '/v1/account/none', '/account']],
    ] as const) {
      const { answer } = create([], undefined, options)
      const statusesOf = async (path: string, accept?: string): Promise<unknown> => {
        const { status, headers } = await answer(path, 'GET', accept ? { accept } : {})
        return [status, headers['content-type'], headers['vary']]
      }
      const html = 'text/html; charset=utf-8'
      const refused = [404, 'application/problem+json', 'Accept']
      for (const path of starts) {
        assert.deepEqual(await statusesOf(path, 'text/html,*/*;q=0.8'), [200, html, 'Accept'], path)
        for (const accept of [undefined, '*/*', 'application/json'])
          assert.deepEqual(await statusesOf(path, accept), refused, path)
      }
      for (const path of unknown) {
        assert.deepEqual(await statusesOf(path, 'text/html,*/*;q=0.8'), [404, html, 'Accept'], path)
        assert.deepEqual(await statusesOf(path, '*/*'), refused, path)
      }
    }
  })

  it('for other methods, and at /healthz, a browser gets JSON', async () => {
    const { answer } = create()
    const { status, headers } = await answer('/', 'POST', { accept: 'text/html' })
    assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'])
    assert.equal((await answer('/healthz', 'GET', { accept: 'text/html' })).body, '{"status":"ok"}')
  })

  it('the start page links to the metrics if the server has them', async () => {
    const link = /<a href="\/metrics">/
    const asked = { accept: 'text/html' }
    assert.match((await create([], async () => '').answer('/', 'GET', asked)).body ?? '', link)
    assert.doesNotMatch((await create().answer('/', 'GET', asked)).body ?? '', link)
  })

  it('routeOf returns the route of a path, and "-" for an unknown path', () => {
    const { routeOf } = create()
    assert.deepEqual(
      ['/users/1', '/healthz?x', '/readyz', '/', '/account/secret', '/secret', '*'].map(routeOf),
      ['/users/{id}', '/healthz', '/readyz', '/', '-', '-', '-'],
    )
  })
})
