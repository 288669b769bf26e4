// Tests of a verifier whose issuer publishes its keys, in a runtime where a request may not be able
// to use what another request has started.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { generateKey } from 'keystile/jwt'
import { until } from '../../tools/until.ts'
import { clientOf, type Client, type Received } from '../adapters/client.ts'
import { accessTokenOf, startPublisher, type Publisher } from '../conformance/start-publisher.ts'
import { senderTo } from './remote-app.ts'

/**
 * @param port returns the port of program.ts
 * @param endsWithRequest whether the fetch of a request ends with that request
 */
export function describeRemoteKeys(
  name: string,
  port: () => number,
  endsWithRequest: boolean,
): void {
  describe(`a verifier in ${name} that fetches its keys`, { timeout: 600_000 }, () => {
    const key = generateKey('ES256')
    let publisher: Publisher
    let client: Client
    beforeEach(async () => {
      client = clientOf(port())
      publisher = await startPublisher(key)
      await senderTo(client)('remote', { issuer: publisher.issuer })
    })
    afterEach(() => publisher.stop())

    const headers = (signer = key): readonly string[] => {
      const token = accessTokenOf(signer, { iss: publisher.issuer, aud: 'api' })
      return ['authorization', `Bearer ${token}`]
    }
    const ask = (signer = key): Promise<Received> =>
      client.send({ path: '/remote', headers: headers(signer) })
    /** Resolves when the publisher has got this many requests. */
    const asked = async (count: number): Promise<void> => {
      await until(() => publisher.asked.length >= count)
    }

    it(`a verifier in ${name} makes one fetch for simultaneous requests`, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(publisher.asked.length, 2) // the metadata and the keys
      assert.equal((await ask(generateKey('ES256'))).status, 401)
    })

    const then = endsWithRequest ? 'says when to retry' : 'answers the others'
    it(`if the request that fetches keys is aborted, a verifier in ${name} ${then}`, async () => {
      const release = publisher.hold()
      const first = client.connect()
      const [name, value] = headers()
      first.write(`GET /remote HTTP/1.1\r\nHost: x\r\n${name}: ${value}\r\n\r\n`)
      await asked(1)
      const others = [ask(), ask()]
      // Another order is answered after both have arrived.
      await senderTo(client)('age', { seconds: 0 })
      first.socket.resetAndDestroy()
      if (endsWithRequest) {
        for (const { status, headers } of await Promise.all(others))
          assert.deepEqual([status, headers['retry-after']], [503, '1'])
        release()
        await senderTo(client)('age', { seconds: 1 })
        assert.equal((await ask()).status, 200)
      } else {
        release()
        for (const { status } of await Promise.all(others)) assert.equal(status, 200)
      }
    })

    it(`a verifier in ${name} replaces its keys after they expire`, async () => {
      assert.equal((await ask()).status, 200)
      const next = generateKey('ES256')
      publisher.publish(next)
      await senderTo(client)('age', { seconds: 301 })
      // In Node and elsewhere, this request starts a fetch, and the next request uses its keys.
      assert.equal((await ask()).status, endsWithRequest ? 401 : 200)
      while ((await ask()).status === 200);
      assert.equal((await ask()).status, 401)
      assert.equal((await ask(next)).status, 200)
      assert.equal(publisher.asked.length, 3) // the metadata once, and the keys twice
    })

    it(`a verifier in ${name} follows no redirects of the issuer`, async () => {
      publisher.redirect()
      const { status } = await ask()
      assert.equal(status, 503)
      assert.deepEqual(publisher.asked, ['/.well-known/oauth-authorization-server/tenant'])
    })
  })
}
