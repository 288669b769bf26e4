import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountCaller } from '../../users/accounts/account-route.ts'
import { confirmRoute } from './routes.ts'
import type { Confirmation } from './verification-types.ts'

describe('POST /email-verifications/confirm', () => {
  const confirmed: Confirmation[] = []
  const verifications = {
    async confirm(confirmation: Confirmation) {
      confirmed.push(confirmation)
      return undefined
    },
  }
  const route = confirmRoute(verifications, { issuer: 'https://auth.example', profile: undefined })

  /** Sends a body without an access token, and returns what is confirmed. */
  async function confirm(json: object, caller?: AccountCaller): Promise<Confirmation | undefined> {
    const request = {
      method: 'POST',
      url: '/email-verifications/confirm',
      headers: new Headers({ 'content-type': 'application/json' }),
      body: async () => Buffer.from(JSON.stringify(json)),
      params: {},
    }
    assert.equal((await route.handle(request, caller)).status, 204)
    return confirmed.pop()
  }

  it('the confirmation of an address takes one token, or one id together with a code', async () => {
    const [password, code] = ['an engine of her own', '1234']
    const all = { caller: undefined, password, username: undefined }
    for (const [json, presented] of [
      [{ token: 't' }, { token: 't' }],
      [
        { request_id: 'r', code },
        { requestId: 'r', code },
      ],
      [
        { registration_id: 'r', code },
        { registrationId: 'r', code },
      ],
    ] as const)
      assert.deepEqual(await confirm({ ...json, password }), { ...all, presented })
    for (const json of [
      {},
      { code },
      { request_id: 'r' },
      { registration_id: 'r' },
      { token: 't', code },
      { token: 't', request_id: 'r' },
      { token: 't', registration_id: 'r', code },
      { request_id: 'r', registration_id: 'r', code },
    ])
      await assert.rejects(confirm({ ...json, password }), {
        code: 'unprocessable_content',
        errors: [],
      })
  })

  it('the confirmation of an address needs a password, a token or a registration_id', async () => {
    const refused = { code: 'unprocessable_content', errors: [] }
    const identity = { subject: 'ada', clientId: 'first-party' }
    const caller = { identity } as unknown as AccountCaller
    await assert.rejects(confirm({ token: 't' }), refused)
    assert.equal((await confirm({ token: 't' }, caller))?.caller, 'ada')
    const finishing = { registration_id: 'r', code: '1234' }
    assert.equal((await confirm(finishing))?.password, undefined)
    await assert.rejects(confirm({ ...finishing, username: 'eve' }), refused)
    const named = await confirm({ ...finishing, username: 'Eve', password: 'p' })
    assert.deepEqual(named?.username, { shown: 'Eve', key: 'eve' })
  })

  it('the OpenAPI document shows the form of a confirmation code', () => {
    const { body } = route.doc
    assert.ok(body?.type === 'json')
    const { code } = body.schema['properties'] as Readonly<Record<string, object>>
    assert.deepEqual(code, { type: 'string', example: '1234 5678' })
  })
})
