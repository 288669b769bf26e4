// Tests how the methods of accounts treat answers that Keystile does not send. The tests with the
// real server are in test/flows/client-accounts.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'

const account = { ...ada, email: 'ada@example.com' }
const request = { requestId: 'an id', code: '1234 5678' }

describe('the methods of accounts', () => {
  const stage = stageClient()

  /** From now on, the server gives this answer to all requests for accounts. */
  const answer = (status: number, body: unknown): void => {
    stage.server.instead = ({ route }, response) => {
      if (route.includes('/token')) return false
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
      return true
    }
  }
  it('a client’s account methods reject a 200 response that is not from the issuer', async () => {
    answer(200, '<h1>Log in to the network of this hotel</h1>')
    for (const call of [
      () => stage.client.register(account),
      () => stage.client.finishRegistration({ token: 'a', password: 'right' }),
      () => stage.client.requestPasswordReset({ login: 'ada' }),
      () => stage.client.resetPassword({ ...request, password: 'right' }),
      () => stage.client.verifyEmail({ ...request, password: 'right' }),
      () => stage.client.undoEmailChange({ token: 'a' }),
      () => stage.client.acceptInvitation({ ...request, ...ada }),
    ])
      await assert.rejects(call(), {
        code: 'temporarily_unavailable',
        message: 'The answer does not come from the issuer',
      })
  })

  it('client.register reports a 401, 403 or 409 of a proxy as a temporary error', async () => {
    for (const [status, body] of [
      [401, 'a password of the proxy is needed'],
      [403, { message: 'blocked' }],
      [403, { status: 200, detail: 'another status' }],
      [409, ''],
    ] as const) {
      answer(status, body)
      await assert.rejects(stage.client.register(account), {
        code: 'temporarily_unavailable',
        status,
      })
    }
  })

  it('client.register reports a 404 as not_found, even if a proxy sent the 404', async () => {
    for (const body of ['Not Found', { status: 404, detail: 'no such path' }]) {
      answer(404, body)
      await assert.rejects(stage.client.register(account), { code: 'not_found', status: 404 })
    }
  })

  it('an error of client.register has only the first message about each field', async () => {
    const errors = [
      { loc: ['body', 'email'], msg: 'first' },
      { loc: ['body', 'email'], msg: 'second' },
      { loc: ['body', 'homes', 0, 'city'], msg: 'nested' },
      { loc: ['body'], msg: 'about no value' },
      { loc: 'body', msg: 'no list' },
      { loc: ['body', 'x'] },
      null,
    ]
    answer(422, { status: 422, detail: 'not acceptable', errors })
    await assert.rejects(stage.client.register(account), {
      message: 'not acceptable',
      fields: { email: 'first', 'homes.0.city': 'nested' },
    })
    answer(422, { status: 422, detail: 'not acceptable', errors: 'none' })
    await assert.rejects(stage.client.register(account), { fields: {} })
  })

  it('if the issuer does not answer, client.register rejects with a temporary error', async () => {
    stage.server.instead = (_asked, response) => Boolean(response.destroy())
    await assert.rejects(stage.client.register(account), { code: 'temporarily_unavailable' })
  })

  it('a client’s account methods send JSON, and an access token only where needed', async () => {
    await stage.client.login(ada)
    answer(204, '')
    await stage.client.resetPassword({ token: 'a', password: 'new' })
    await stage.client.verifyEmail({ ...request })
    await stage.client.verifyEmail({ token: 'a', password: 'right' })
    await stage.client.confirmEmailChange({ token: 'a' })
    await stage.client.changeEmail({ email: 'b', password: 'right' })
    const sent = stage.server.asked
      .slice(1)
      .map(({ route, headers, body }) => [
        route.replace('POST /auth', ''),
        JSON.parse(body) as object,
        headers.authorization === undefined ? 'no token' : 'token',
      ])
    assert.deepEqual(sent, [
      ['/password-resets/confirm', { token: 'a', new_password: 'new' }, 'no token'],
      ['/email-verifications/confirm', { code: '1234 5678', request_id: 'an id' }, 'token'],
      ['/email-verifications/confirm', { token: 'a', password: 'right' }, 'no token'],
      ['/email-changes/confirm', { token: 'a' }, 'token'],
      ['/users/me/email', { new_email: 'b', current_password: 'right' }, 'token'],
    ])
    for (const { headers } of stage.server.asked.slice(1))
      assert.equal(headers['content-type'], 'application/json')
  })

  it('client.requestEmailVerification reports an ended session as not_signed_in', async () => {
    await stage.client.login(ada)
    answer(401, { status: 401, detail: 'Token has been revoked' })
    await assert.rejects(stage.client.requestEmailVerification(), { code: 'not_signed_in' })
  })
})
