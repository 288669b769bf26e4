// A forgotten password, from the request to the new password, by the link and the code of a mail.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AppMail, MailMessage } from '@keystile/server'
import {
  createTestClock,
  describeOnBoth,
  password,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const next = 'purple monkey dishwasher'

type StageOptions = Parameters<Stage['start']>[0]

/** A stage whose Keystile sends its mails to a list, by the app's own function. */
interface Started extends TestKeystile {
  readonly clock: TestClock
  readonly mails: readonly MailMessage[]
  /** Requests a new password. Returns the id of the request. */
  request(login?: string, fields?: object): Promise<string>
  confirm(fields: object): Promise<Answer>
  /** Resolves when all requests are resolved and all mails are sent. Returns the newest mail. */
  settled(): Promise<Mail>
}

/** What a person reads in a mail. */
interface Mail {
  readonly message: MailMessage
  readonly token: string
  readonly code: string
}

async function start(stage: Stage, options: Parameters<Stage['start']>[0] = {}): Promise<Started> {
  const clock = createTestClock()
  const mails: MailMessage[] = []
  const mail: AppMail = {
    from: 'no-reply@example.com',
    send: (message) => void mails.push(message),
  }
  const started = await stage.start({ clock, mail, ...options } as StageOptions)
  const count = async (table: string): Promise<number> =>
    Number((await stage.sql(`select count(*) as number from ${table}`))[0]?.['number'])
  return {
    ...started,
    clock,
    mails,
    async request(login = 'ada', fields = {}) {
      const answer = await started.send('POST', '/password-resets', { json: { login, ...fields } })
      assert.equal(answer.status, 202, answer.text)
      return String(answer.json['request_id'])
    },
    confirm: (fields) =>
      started.send('POST', '/password-resets/confirm', { json: { new_password: next, ...fields } }),
    async settled() {
      while ((await count('mail_proof where resolved_at is null')) + (await count('mail')) > 0)
        await delay(20)
      return mailOf(mails.at(-1))
    },
  }
}

function mailOf(message: MailMessage | undefined): Mail {
  assert.ok(message)
  const token = /token=([\w-]{43})\n/.exec(message.text)?.[1] ?? ''
  const code = /^\d{4} \d{4}$/m.exec(message.text)?.[0] ?? ''
  return { message, token, code }
}

describeOnBoth('a forgotten password', (stage) => {
  it('the link of the mail sets a new password once', async () => {
    const { addUser, request, settled, confirm, login } = await start(stage)
    await addUser()
    await request()
    const { token, message } = await settled()
    assert.equal(message.to, 'ada@example.com')

    assert.equal((await confirm({ token })).status, 204)
    assert.equal((await login({ password: next })).status, 200)
    assert.equal((await login()).status, 400)
    assert.equal((await confirm({ token, new_password: password })).status, 403)
  })

  it('the code of the mail sets a new password once, with the id of its request', async () => {
    const { addUser, request, settled, confirm, login } = await start(stage)
    await addUser()
    const request_id = await request('ADA@example.com')
    const { code } = await settled()
    assert.equal((await confirm({ request_id, code })).status, 204)
    assert.equal((await login({ password: next })).status, 200)
    assert.equal((await confirm({ request_id, code, new_password: password })).status, 403)
  })
})
