// Tests of a verifier that reads a revocation feed, in a runtime where a connection may end with the
// request that opened it.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RevocationFeedOptions } from 'keystile'
import { exportPublicJwk, generateKey } from 'keystile/jwt'
import {
  revocation,
  startFeed,
  type ScriptedFeed,
} from '../../packages/keystile/test-support/scripted-feed.ts'
import { until } from '../../tools/until.ts'
import { clientOf, type Client } from '../adapters/client.ts'
import { accessTokenOf } from '../conformance/start-publisher.ts'
import { senderTo } from './remote-app.ts'

/**
 * @param port returns the port of program.ts
 * @param endsWithRequest whether a connection ends with the request that opened it
 */
export function describeRemoteFeed(
  name: string,
  port: () => number,
  endsWithRequest: boolean,
): void {
  describe(`a verifier in ${name} that reads a feed`, { timeout: 600_000 }, () => {
    const key = generateKey('ES256')
    let feed: ScriptedFeed
    let client: Client
    beforeEach(async () => {
      feed = await startFeed()
      client = clientOf(port())
    })
    afterEach(() => feed.stop())

    const use = async (whenStale: RevocationFeedOptions['whenStale']): Promise<void> => {
      const revocations = { clientId: 'orders', clientSecret: 'pX3', whenStale }
      const keys = { keys: [exportPublicJwk(key)] }
      await senderTo(client)('remote', { issuer: feed.issuer, keys, revocations })
    }
    const headersOf = (sid: string): readonly [string, string] => [
      'authorization',
      `Bearer ${accessTokenOf(key, { iss: feed.issuer, aud: 'api', sid })}`,
    ]
    /** Returns the status of a request with a token of a session. */
    const ask = async (sid: string): Promise<number> =>
      (await client.send({ path: '/remote', headers: headersOf(sid) })).status
    /** Revokes a session, for open streams and for new ones. */
    const revoke = (sid: string): void => {
      const text = revocation('1.a', { kind: 'session', value: sid })
      const before = feed.opening
      feed.opening = (id) => before(id) + text
      feed.send(text)
    }

    it(`a verifier in ${name} refuses what was revoked before its first request`, async () => {
      revoke('s1')
      await use('refuse')
      const statuses = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(`s${n}`)))
      assert.deepEqual(
        statuses,
        Array.from({ length: 20 }, (_, n) => (n === 1 ? 401 : 200)),
      )
      assert.equal(feed.requests.length, 1)
      await until(() => feed.open === (endsWithRequest ? 0 : 1))
    })

    it(`a verifier in ${name} refuses what is revoked later`, async () => {
      await use('refuse')
      assert.equal(await ask('s1'), 200)
      revoke('s1')
      await until(async () => (await ask('s1')) === 401)
      assert.equal(await ask('s2'), 200)
      assert.equal(feed.requests.length, endsWithRequest ? 2 : 1)
    })

    for (const [whenStale, later] of [
      ['refuse', 503],
      ['accept', 200],
    ] as const) {
      it(`with whenStale ${whenStale}, a stale verifier in ${name} answers ${later}`, async () => {
        await use(whenStale)
        revoke('s1')
        assert.deepEqual([await ask('s1'), await ask('s2')], [401, 200])
        feed.beats = false
        feed.cut()
        await new Promise((resolve) => setTimeout(resolve, 5_000))
        assert.equal(await ask('s2'), later)
        assert.equal(await ask('s1'), whenStale === 'refuse' ? 503 : 401)
        feed.beats = true
        await until(async () => (await ask('s2')) === 200)
        assert.equal(await ask('s1'), 401)
      })
    }

    it(`if the first request is aborted, a verifier in ${name} still loads revocations`, async () => {
      revoke('s1')
      await use('refuse')
      feed.instead = () => {}
      const first = client.connect()
      const [header, value] = headersOf('s2')
      first.write(`GET /remote HTTP/1.1\r\nHost: x\r\n${header}: ${value}\r\n\r\n`)
      await until(() => feed.requests.length === 1)
      first.socket.resetAndDestroy()
      feed.instead = undefined
      await until(async () => (await ask('s2')) === 200)
      assert.equal(await ask('s1'), 401)
    })
  })
}
