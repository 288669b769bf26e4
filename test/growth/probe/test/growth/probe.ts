// Runs in the copy of the source that has the probe, on both databases.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { checkOptions } from '../../packages/server/src/server/options.ts'
import { createTestClock, describeOnBoth, type Stage } from '../support/keystile.ts'

const daySeconds = 24 * 60 * 60

async function untilNoProbeIsLeft(stage: Stage): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const [row] = await stage.sql('select count(*) as number from probe')
    if (Number(row?.['number']) === 0) return
    await pause(50)
  }
  assert.fail('the probes are still there')
}

describeOnBoth('the feature', (stage) => {
  it('demands a token and its scope, and writes to its table', async () => {
    const { send, tokens, setScopes, document } = await stage.start()
    assert.equal((await send('POST', '/probes')).status, 401)

    const ada = await tokens('ada')
    assert.equal((await send('POST', '/probes', { bearer: ada.accessToken })).status, 403)

    await setScopes(ada.subject, ['users:read'])
    const { accessToken } = await tokens('ada')
    const answers = [
      await send('POST', '/probes', { bearer: accessToken }),
      await send('POST', '/probes', { bearer: accessToken }),
    ]
    assert.deepEqual(
      answers.map(({ status, json }) => [status, json]),
      [
        [200, { count: 1 }],
        [200, { count: 2 }],
      ],
    )

    const { paths } = document as {
      readonly paths: Readonly<Record<string, { readonly post?: object }>>
    }
    const { responses } = paths['/auth/probes']?.post as { readonly responses: object }
    for (const status of ['200', '401', '403']) assert.ok(Object.hasOwn(responses, status), status)
  })

  it('deletes its rows when they are as old as its setting says', async () => {
    const clock = createTestClock()
    const { send, tokens, setScopes } = await stage.start({ clock })
    await setScopes((await tokens('ada')).subject, ['users:read'])
    await send('POST', '/probes', { bearer: (await tokens('ada')).accessToken })
    assert.equal(
      Number((await stage.sql('select count(*) as number from probe'))[0]?.['number']),
      1,
    )

    clock.advance(daySeconds + 1)
    await stage.start({ clock })
    await untilNoProbeIsLeft(stage)
  })

  it('has its setting among the options', () => {
    const options = { issuer: 'http://localhost:3000', database: ':memory:' }
    assert.equal(checkOptions(options).probeSeconds, daySeconds)
    assert.throws(() => checkOptions({ ...options, probeSeconds: 1 }), /probeSeconds must be/)
  })
})

describeOnBoth('the grant', (stage) => {
  it('is known to the token endpoint, the metadata and the clients', async () => {
    const { send, addClient } = await stage.start()
    const grantType = 'urn:example:probe'
    const client = await addClient({ grants: [grantType] })
    const form = { ...client, grant_type: grantType, weekday: 'monday' }
    assert.equal((await send('POST', '/token', { form })).status, 200)

    const { status, json } = await send('POST', '/token', {
      form: { ...client, grant_type: grantType },
    })
    assert.deepEqual([status, json['error']], [400, 'invalid_request'])

    const metadata = await send('GET', '/.well-known/oauth-authorization-server')
    assert.ok(metadata.json['grant_types_supported'].includes(grantType))
  })
})

describeOnBoth('the credential scheme', (stage) => {
  it('opens a guarded route, and so does Bearer', async () => {
    const { send, tokens } = await stage.start()
    const { accessToken } = await tokens('ada')
    for (const scheme of ['Probe', 'Bearer']) {
      const headers = { authorization: `${scheme} ${accessToken}` }
      for (const _ of ['slow', 'fast'])
        assert.equal((await send('GET', '/users/me', { headers })).status, 200, scheme)
    }
    assert.equal(
      (await send('GET', '/users/me', { headers: { authorization: 'Probe no.token' } })).status,
      401,
    )
  })
})
