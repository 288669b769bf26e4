import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequestWithBody } from 'keystile/internal'
import { createMetrics } from '../features/metrics/metrics.ts'
import { requests, requestSeconds } from './metrics.ts'
import { createStandAlone } from './stand-alone.ts'

const request = (url: string, method = 'GET'): HttpRequestWithBody => ({
  method,
  url,
  headers: new Headers(),
  body: () => assert.fail('no body is read'),
})

function create(reasons: readonly string[] = [], readMetrics?: () => Promise<string>) {
  const { answer, routeOf } = createStandAlone(
    {
      keystile: {
        answer: async ({ url }) => (url === '/token' ? { status: 299, headers: {} } : undefined),
        close: async () => {},
      },
      findUnreadiness: async () => reasons,
      readGauges: () => [],
      routeOf: ({ url }) => (url === '/users/1' ? '/users/{id}' : undefined),
    },
    readMetrics,
  )
  return {
    routeOf: (url: string) => routeOf(request(url)),
    async answer(url: string, method?: string) {
      const { status, headers, body } = await answer(request(url, method))
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

  it('routeOf returns the route of a path, and "-" for an unknown path', () => {
    const { routeOf } = create()
    assert.deepEqual(['/users/1', '/healthz?x', '/readyz', '/secret', '*'].map(routeOf), [
      '/users/{id}',
      '/healthz',
      '/readyz',
      '-',
      '-',
    ])
  })
})
