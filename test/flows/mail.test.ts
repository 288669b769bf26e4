// Notices by mail, from the change of an account to a real SMTP server.
import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import {
  createTestClock,
  describeOnBoth,
  password,
} from '../../packages/server/test-support/keystile.ts'
import { startMailServer, type MailServer } from '../../packages/server/test-support/mail-server.ts'

const next = 'purple monkey dishwasher'

describeOnBoth('notices by mail', (stage) => {
  let server: MailServer | undefined
  afterEach(() => server?.close())
  const start = async () => {
    server = await startMailServer()
    const clock = createTestClock()
    const started = await stage.start({
      mailUrl: server.url,
      mailFrom: 'Example <no-reply@example.com>',
      clock,
    })
    return { server, clock, ...started }
  }

  it('a changed password sends a notice to the user’s address', async () => {
    const { server, send, accessToken } = await start()
    const bearer = await accessToken()
    const json = { current_password: password, new_password: next }
    assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 204)
    const [mail] = await server.received(1)
    assert.equal(mail?.parsed.subject, 'Your password at localhost:3000 was changed')
  })
})
