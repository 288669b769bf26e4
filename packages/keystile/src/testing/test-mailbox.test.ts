import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createTestMailbox, type SentMail } from './test-mailbox.ts'

const mailTo = (to: string, subject: string, text = ''): SentMail => ({
  to,
  subject,
  text,
  html: '',
})

describe('createTestMailbox', () => {
  it('a test mailbox has a sender, so that createKeystile accepts it as `mail`', () => {
    assert.equal(createTestMailbox().from, 'Test <no-reply@test.example>')
  })

  it('mailbox.next returns the mails for one address in the order sent, each once', async () => {
    const mailbox = createTestMailbox()
    mailbox.send(mailTo('Ada@example.com', 'first'))
    mailbox.send(mailTo('bob@example.com', 'other'))
    mailbox.send(mailTo('ada@example.com', 'second'))
    assert.equal((await mailbox.next('ada@example.com')).subject, 'first')
    assert.equal((await mailbox.next('ADA@example.com')).subject, 'second')
    assert.equal((await mailbox.next('bob@example.com')).subject, 'other')
    assert.deepEqual(
      mailbox.mails.map(({ subject }) => subject),
      ['first', 'other', 'second'],
    )
  })

  it('a mail resolves the oldest waiting call of mailbox.next for the same address', async () => {
    const mailbox = createTestMailbox()
    const calls = [
      mailbox.next('ada@example.com'),
      mailbox.next('bob@example.com'),
      mailbox.next('ada@example.com'),
    ]
    for (const [to, subject] of [
      ['ada@example.com', 'first'],
      ['ada@example.com', 'second'],
      ['ada@example.com', 'third'],
      ['bob@example.com', 'other'],
    ] as const)
      mailbox.send(mailTo(to, subject))
    assert.deepEqual(
      (await Promise.all(calls)).map(({ subject }) => subject),
      ['first', 'other', 'second'],
    )
    assert.equal((await mailbox.next('ada@example.com')).subject, 'third')
  })

  it('mailbox.next rejects if no mail comes in time; the error lists the other mails', async () => {
    const mailbox = createTestMailbox()
    const next = (): Promise<unknown> => mailbox.next('ada@example.com', { timeoutSeconds: 0.01 })
    await assert.rejects(next(), {
      message: 'no further mail to ada@example.com was sent within 0.01 s; mails so far: none',
    })
    mailbox.send(mailTo('bob@example.com', 'Hello'))
    mailbox.send(mailTo('eve@example.com', 'Hi'))
    await assert.rejects(
      next(),
      /mails so far: "Hello" to bob@example\.com, "Hi" to eve@example\.com$/,
    )
    // The call that gave up takes no later mail.
    mailbox.send(mailTo('ada@example.com', 'late'))
    assert.equal((await mailbox.next('ada@example.com')).subject, 'late')
  })

  it('mailbox.next waits for a mail up to 10 seconds by default', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let hasFailed = false
    const next = createTestMailbox().next('ada@example.com')
    next.catch(() => (hasFailed = true))
    t.mock.timers.tick(9_999)
    await turn()
    assert.equal(hasFailed, false)
    t.mock.timers.tick(1)
    await assert.rejects(next, /within 10 s/)
  })

  it('a call of mailbox.next that got its mail does not affect later calls', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const mailbox = createTestMailbox()
    const first = mailbox.next('ada@example.com')
    mailbox.send(mailTo('ada@example.com', 'first'))
    await first
    let subject: string | undefined
    void mailbox.next('ada@example.com', { timeoutSeconds: 20 }).then((mail) => {
      subject = mail.subject
    })
    t.mock.timers.tick(10_000)
    mailbox.send(mailTo('ada@example.com', 'second'))
    await turn()
    assert.equal(subject, 'second')
  })

  it('the getters link, token and code of a test mail throw if the mail has none', async () => {
    const mailbox = createTestMailbox()
    const link = 'https://a.example/account/reset-password?token=abc_-9'
    mailbox.send(mailTo('a@a.example', 'Both', `On 27 May 2026:\n\n${link}\n\n1234 5678\n`))
    mailbox.send(mailTo('a@a.example', 'None', 'See https://a.example/ on 27 May 2026'))
    const both = await mailbox.next('a@a.example')
    assert.deepEqual([both.link, both.token, both.code], [link, 'abc_-9', '1234 5678'])
    const local = 'http://localhost:3000/?token=local'
    mailbox.send(mailTo('b@a.example', 'Local', `See ${local}`))
    assert.equal((await mailbox.next('b@a.example')).link, local)
    const none = await mailbox.next('a@a.example')
    assert.throws(() => none.link, { message: 'the mail "None" to a@a.example has no link' })
    assert.throws(() => none.token, { message: 'the mail "None" to a@a.example has no link' })
    assert.throws(() => none.code, { message: 'the mail "None" to a@a.example has no code' })
  })
})
