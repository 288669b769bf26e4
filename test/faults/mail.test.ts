// A process is killed (SIGKILL) while it sends a mail. Another process sends the mail again: a
// crash may make one more copy, and never loses a mail.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  createTestClock,
  describeOnBoth,
  password,
} from '../../packages/server/test-support/keystile.ts'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'
import { until } from '../../tools/until.ts'
import { startProcess } from './process.ts'

/** The moments of a kill, and how many copies of the mail then arrive. */
const kills = [
  ['before the mail server accepts the mail', 'cut-after-data', 1],
  ['after the mail server accepts the mail', 'accept', 2],
] as const

describeOnBoth('a process that is killed while it sends a mail', (stage) => {
  for (const [moment, reply, copies] of kills)
    it(`if a process is killed ${moment}, no mail is lost`, async () => {
      await (await stage.start()).keystile.close()
      const server = await startMailServer()
      const mail = { mailUrl: server.url, mailFrom: 'no-reply@example.com' }
      const process = await startProcess(stage.database, mail)
      try {
        server.replies.push(reply)
        server.onDataRead = () => process.kill()
        const user = { username: 'ada', email: 'ada@example.com', password }
        await process.ask([['POST', '/users', { json: user }]])
        await process.advance(601)
        const form = { username: 'ada', password }
        await process.ask([['POST', '/token', { form }]])
        await server.tried(1)
        await process.stop()

        // The lease and the claim of the killed process are over.
        await stage.sql('update lease set expires_at = 0')
        const clock = createTestClock()
        clock.advance(601 + 90)
        await stage.start({ ...mail, clock })
        const mails = await server.received(copies)
        assert.equal(new Set(mails.map(({ parsed }) => parsed.messageId)).size, 1)
        await until(async () => (await stage.sql('select id from mail')).length === 0)
        assert.equal(server.tries, 2)
      } finally {
        await process.stop()
        await server.close()
      }
    })
})
