import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRevocations } from './revocation-source.ts'

describe('readRevocations', () => {
  for (const [issuer, whenStale] of [
    ['https://auth.example/tenant', 'refuse'],
    ['https://auth.example/tenant/', 'accept'],
  ] as const) {
    it(`readRevocations requests the feed of the issuer ${issuer}`, async () => {
      const asked: string[] = []
      const fetch = async (url: string): Promise<Response> => {
        asked.push(url)
        return new Response(null, { status: 404 })
      }
      const source = readRevocations(
        { revocations: { clientId: 'orders', clientSecret: 'pX3', whenStale }, fetch },
        [issuer],
        { now: () => Date.now() },
      )
      assert.ok(source)
      const refreshed = source.refresh()
      source.close()
      await assert.rejects(refreshed)
      assert.deepEqual(asked, ['https://auth.example/tenant/revocations'])
    })
  }
})
