import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVerifier } from 'keystile'
import { createGuardCore, OAuthError, readWebRequest, silentLogger } from 'keystile/internal'
import type { OpenRoute } from '../http/route.ts'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { createRouter } from './router.ts'

const doc = { summary: 'x', success: { status: 200, description: 'x' } } as const
const issuer = 'https://auth.example/base'
const ok: OpenRoute['handle'] = () => ({ status: 200, headers: { x: 'y' }, body: 'ok' })

const verifier = createVerifier({ issuer, audience: issuer, keys: { find: () => undefined }, revocations: 'none' })
const guard = createGuardCore({ verifier, user: () => 'somebody' })

function routeTo(handle: OpenRoute['handle'], refusals: OpenRoute['refusals'] = 'problem'): OpenRoute {
  return { method: 'GET', path: '/it', below: 'issuer', refusals, doc, handle }
}

async function ask(route: OpenRoute, path: string, method = 'GET', log: object[] = []) {
  const logger = { ...silentLogger, error: (fields: object) => log.push(fields) }
  return createRouter([route], { issuer, guard, logger })(
    readWebRequest(new Request(`https://other.example${path}`, { method })),
  )
}

describe('createRouter', () => {
  it('answers a path that is exactly one of its own, whatever host the request names', async () => {
    assert.equal((await ask(routeTo(ok), '/base/it?x=1'))!.body, 'ok')
    for (const path of ['/it', '/base/it/', '/base/IT', '/base/%69t', '/base', '/', '/base/it.json'])
      assert.equal(await ask(routeTo(ok), path), undefined, path)
  })

  it('answers HEAD like GET, without a body (RFC 9110 §9.3.2)', async () => {
    assert.deepEqual(await ask(routeTo(ok), '/base/it', 'HEAD'), { status: 200, headers: { x: 'y' }, body: undefined })
  })

  it('answers 405 with Allow to another method (RFC 9110 §15.5.6)', async () => {
    const answer = await ask(routeTo(ok), '/base/it', 'POST')
    assert.equal(answer!.status, 405)
    assert.equal(answer!.headers['allow'], 'GET')
  })

  it('answers a bug with 500 and an incident that the log knows, and nothing else', async () => {
    const log: { incident?: string; err?: Error }[] = []
    const answer = await ask(
      routeTo(() => {
        throw new Error('select secret from /etc')
      }),
      '/base/it',
      'GET',
      log,
    )
    assert.equal(answer!.status, 500)
    assert.doesNotMatch(answer!.body!, /select|etc/)
    assert.ok(answer!.body!.includes(log[0]!.incident!))
    assert.equal(log[0]!.err!.message, 'select secret from /etc')
  })

  it('answers 503 with Retry-After when the database is away, in the words of the endpoint', async () => {
    const fail = (): never => {
      throw new DatabaseUnavailableError('ECONNREFUSED 10.0.0.1')
    }
    for (const refusals of ['oauth', 'problem'] as const) {
      const answer = await ask(routeTo(fail, refusals), '/base/it')
      assert.equal(answer!.status, 503)
      assert.equal(answer!.headers['retry-after'], '1')
      assert.doesNotMatch(answer!.body!, /ECONN/)
      if (refusals === 'oauth') assert.equal(JSON.parse(answer!.body!).error, 'temporarily_unavailable')
    }
  })

  it('answers an OAuth refusal in its own words, with detail (RFC 6749 §5.2)', async () => {
    const answer = await ask(
      routeTo(() => {
        throw new OAuthError('invalid_grant', 'No', { reason: 'inside' })
      }, 'oauth'),
      '/base/it',
    )
    assert.equal(answer!.status, 400)
    assert.deepEqual(JSON.parse(answer!.body!), { error: 'invalid_grant', error_description: 'No', detail: 'No' })
  })
})
