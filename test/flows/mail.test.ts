// Mails, from the change of an account to a real SMTP server.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { askForCode, exchange } from '../../packages/server/test-support/challenge.ts'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  createTestClock,
  describeOnOne,
  key,
  password,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  startMailServer,
  type MailServer,
  type ReceivedMail,
} from '../../packages/server/test-support/mail-server.ts'
import { until } from '../../tools/until.ts'

const next = 'purple monkey dishwasher'
const hour = 60 * 60

// The tests wait for the sender, so both databases are tested at the same time.
describe('mails', { concurrency: 2 }, () =>
  describeOnOne('PostgreSQL', 'notices by mail', testNotices),
)

function testNotices(stage: Stage): void {
  let server: MailServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })
  const mailTo = ({ url }: MailServer) => ({
    mailUrl: url,
    mailFrom: 'Example <no-reply@example.com>',
  })
  const start = async (
    options: object = {},
  ): Promise<TestKeystile & { server: MailServer; clock: TestClock }> => {
    server ??= await startMailServer()
    const clock = createTestClock()
    return { ...(await stage.start({ ...mailTo(server), clock, ...options })), server, clock }
  }
  const countMails = async (): Promise<number> =>
    Number((await stage.sql('select count(*) as number from mail'))[0]?.['number'])
  /** Resolves when the outbox is empty. */
  const emptied = async (): Promise<void> => {
    await until(async () => (await countMails()) === 0)
  }
  /** Resolves when the last try of each mail has failed. */
  const failed = async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    return until(async () => {
      const rows = await stage.sql('select * from mail where failure is not null')
      return rows.length > 0 && rows.length === (await countMails()) && rows
    })
  }
  /** Changes the password of ada, who gets a notice. */
  const changePassword = async ({ keystile, addUser }: TestKeystile): Promise<string> => {
    const subject = await addUser()
    await keystile.users?.setPassword(subject, next)
    return subject
  }

  it('a notice about a password change names the IP address, in two languages', async () => {
    const { server, send, accessToken } = await start()
    const bearer = await accessToken()
    const { status } = await send('POST', '/users/me/password', {
      bearer,
      json: { current_password: password, new_password: next },
      headers: { 'user-agent': 'BUY-PILLS', 'accept-language': 'de' },
      remoteAddress: '192.0.2.7',
    })
    assert.equal(status, 204)

    const [mail] = await server.received(1)
    const { parsed, envelope, raw } = oneOf(mail)
    assert.deepEqual(envelope, { from: 'no-reply@example.com', to: ['ada@example.com'] })
    assert.equal(parsed.from?.text, '"Example" <no-reply@example.com>')
    assert.equal(
      parsed.subject,
      'Ihr Passwort bei localhost:3000 wurde geändert / Your password at localhost:3000 was changed',
    )
    assert.equal(parsed.date?.toISOString(), '2026-11-25T12:00:00.000Z')
    assert.match(parsed.messageId ?? '', /^<[\w-]+@localhost>$/)
    assert.equal(parsed.headers.get('auto-submitted'), 'auto-generated')
    for (const said of [
      'was changed on 25 November 2026 at 12:00 UTC from the IP address 192.0.2.7.',
      'geändert, von der IP-Adresse 192.0.2.7 aus.',
    ]) {
      assert.ok(parsed.text?.includes(said))
      assert.ok(String(parsed.html).includes(said))
    }
    // No link, no image, and nothing that the caller chose.
    assert.doesNotMatch(raw, /https?:|<img|<a |src=|PILLS|x-mailer/i)
    await emptied()
  })

  it('a user gets a notice after a login on a new device, unless the account is new', async () => {
    const { server, send, login, addUser, clock } = await start()
    await addUser()
    const first = await login()
    assert.equal(first.status, 200)
    assert.equal(await countMails(), 0, 'the account is new, so every device is new')

    clock.advance(601)
    const known = { device_secret: first.json['device_secret'] as string }
    assert.equal((await login(known)).status, 200)
    assert.equal(await countMails(), 0)

    const form = { grant_type: 'password', username: 'ada', password }
    const headers = { 'accept-language': 'de' }
    assert.equal((await send('POST', '/token', { form, headers })).status, 200)
    const [mail] = await server.received(1)
    assert.equal(
      mail?.parsed.subject,
      'Neue Anmeldung bei Ihrem Konto bei localhost:3000 / ' +
        'New login to your account at localhost:3000',
    )
  })

  it('the exchange of a code sends the notice, unless the login was on a known device', async () => {
    const running = await start()
    await running.addUser()
    const logIn = async (fields: object = {}): Promise<string> => {
      const code = await askForCode(running, { username: 'ada', password, ...fields })
      return (await exchange(running, code)).json['device_secret']
    }
    const device_secret = await logIn()
    running.clock.advance(601)
    await logIn({ device_secret })
    assert.equal(await countMails(), 0)
    await logIn()
    const [mail] = await running.server.received(1)
    assert.match(mail?.parsed.subject ?? '', /New login/)
  })

  it('a step-up sends the notice, unless it has the device secret', async () => {
    const { server, send, login, addUser, clock } = await start()
    await addUser()
    let { json } = await login()
    clock.advance(601)
    const stepUp = async (fields: object): Promise<void> => {
      const form = { grant_type: 'password', username: 'ada', password, max_age: '60', ...fields }
      const done = await send('POST', '/token', {
        form: { ...form, access_token: json['access_token'] as string },
      })
      assert.equal(done.status, 200, done.text)
      json = done.json
    }
    await stepUp({ device_secret: json['device_secret'] as string })
    assert.equal(await countMails(), 0)
    await stepUp({})
    const [mail] = await server.received(1)
    assert.match(mail?.parsed.subject ?? '', /New login/)
  })

  it('the device secret of another user does not make a device known', async () => {
    const { server, login, addUser, clock } = await start()
    await addUser()
    await addUser({ username: 'eve', email: 'eve@example.com' })
    const { json } = await login({ username: 'eve' })
    clock.advance(601)
    await login({ device_secret: json['device_secret'] as string })
    const [mail] = await server.received(1)
    assert.deepEqual(mail?.envelope.to, ['ada@example.com'])
  })

  // Without its own place for each mail, the others would wait until the first fails after 60 s.
  it('while the sending of a mail hangs, later mails are sent', async () => {
    const slow = Promise.withResolvers<void>()
    const [begun, sent] = [Promise.withResolvers<void>(), new Set<string>()]
    const send = async ({ to }: { readonly to: string }): Promise<void> => {
      if (to !== 'ada@example.com') return void sent.add(to)
      begun.resolve()
      await slow.promise
    }
    const { keystile, addUser } = await stage.start({ mail: { from: 'a@example.com', send } })
    const ada = await addUser()
    const others: string[] = []
    for (let n = 0; n < 12; n++)
      others.push(await addUser({ username: `user${n}`, email: `user${n}@example.com` }))
    await keystile.users?.disable(ada)
    await begun.promise

    for (const subject of others) await keystile.users?.disable(subject)
    await until(async () => sent.size >= others.length && (await countMails()) <= 1)
    const waiting = await stage.sql('select failure from mail')
    assert.deepEqual(
      waiting.map(({ failure }) => failure),
      [null],
    )
    slow.resolve()
    await emptied()
  })

  it('a user gets one notice when disabled, and no notice when enabled again', async () => {
    const { server, keystile, addUser } = await start()
    const subject = await addUser()
    await keystile.users?.disable(subject)
    await keystile.users?.disable(subject)
    await keystile.users?.enable(subject)
    await server.received(1)
    await emptied()
    assert.deepEqual(
      server.mails.map(({ parsed }) => parsed.subject),
      ['Your account at localhost:3000 was disabled'],
    )
  })

  it('a user gets a notice when the account is deleted, if the address is verified', async () => {
    const { server, send, keystile, accessToken } = await start()
    const create = (username: string, emailVerified: boolean) =>
      keystile.users!.create({
        username,
        password,
        email: `${username}@example.com`,
        emailVerified,
      })
    await create('eve', true)
    const headers = { 'accept-language': 'fr' }
    const bearer = await accessToken('eve')
    assert.equal((await send('DELETE', '/users/me', { bearer, headers })).status, 204)
    for (const [name, isVerified] of [
      ['bob', false],
      ['ada', true],
    ] as const)
      await keystile.users!.delete((await create(name, isVerified)).id)

    await emptied()
    const told = server.mails.map(
      ({ parsed, envelope }) => `${envelope.to.join()}: ${parsed.subject}`,
    )
    const english = 'Your account at localhost:3000 was deleted'
    assert.deepEqual(told.toSorted(), [
      `ada@example.com: ${english}`,
      `eve@example.com: Votre compte sur localhost:3000 a été supprimé / ${english}`,
    ])
  })

  it('no mail is sent for a refused login or change, or to a user without an address', async () => {
    const { send, login, keystile, accessToken, clock } = await start()
    const bearer = await accessToken()
    clock.advance(601)
    assert.equal((await login({ password: next })).status, 400)
    const json = { current_password: next, new_password: next }
    assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 403)
    const bob = await keystile.users?.create({ username: 'bob', password })
    await keystile.users?.setPassword(bob?.id ?? '', next)
    assert.equal(await countMails(), 0)
  })

  it('without the settings for mail, no mail is stored', async () => {
    await changePassword(await stage.start())
    assert.equal(await countMails(), 0)
  })

  it('a change that is rolled back sends no mail', async () => {
    const started = await start()
    const subject = await started.addUser()
    for (const statement of refuseCommits(stage.kind)) await stage.sql(statement)
    await assert.rejects(async () => started.keystile.users?.setPassword(subject, next))
    assert.equal(await countMails(), 0)
  })

  it('after the SMTP reply 450, the mail is sent again 10 s later', async () => {
    const started = await start()
    const { server, clock } = started
    server.replies.push(450)
    await changePassword(started)
    const [row] = await failed()
    assert.deepEqual(
      [row?.['failure'], Number(row?.['tries']), row?.['dead_at']],
      ['smtp_450', 1, null],
    )
    assert.equal(Number(row?.['next_try_at']), clock.now() + 10_000)
    clock.advance(10)
    const [mail] = await server.received(1)
    assert.equal(mail?.parsed.messageId, `<${String(row?.['id'])}@localhost>`)
    await emptied()
    assert.equal(server.tries, 2)
  })

  it('if the SMTP connection breaks after DATA, the mail is sent again, unchanged', async () => {
    const started = await start()
    const { server, clock } = started
    server.replies.push('cut-after-data')
    await changePassword(started)
    const [row] = await failed()
    clock.advance(10)
    const [mail] = await server.received(1)
    assert.equal(mail?.parsed.messageId, `<${String(row?.['id'])}@localhost>`)
    assert.equal(server.tries, 2)
  })

  it('after the SMTP reply 550, a mail is a dead letter until an operator retries it', async () => {
    const started = await start()
    const { server } = started
    server.replies.push(550)
    const subject = await changePassword(started)
    const [row] = await failed()
    const id = String(row?.['id'])
    assert.notEqual(row?.['dead_at'], null)

    const run = async (...args: string[]): Promise<string> => {
      const env = {
        KEYSTILE_DATABASE: stage.database,
        KEYSTILE_KEY: key,
        KEYSTILE_ISSUER: 'http://localhost:3000/auth',
      }
      const { stdout, stderr } = await callCommand(args, { cwd: '/', env })
      return stdout + stderr
    }
    assert.match(await run('doctor'), /warn {2}mail-sent[^]*1 is a dead letter/)
    const listed = await run('mail', 'list', '--json')
    const { created_at, expires_at, ...shown } = JSON.parse(listed) as Record<string, unknown>
    assert.deepEqual(shown, {
      id,
      template: 'password_changed',
      subject,
      recipient: 'ada@example.com',
      state: 'dead',
      tries: 1,
      failure: 'smtp_550',
      next_try_at: null,
    })
    assert.deepEqual(
      [created_at, expires_at],
      ['2026-11-25T12:00:00.000Z', '2026-11-28T12:00:00.000Z'],
    )
    assert.match(await run('mail', 'list'), new RegExp(`^${id}\tdead\tpassword_changed\tada@`))

    // The commands use the real time, so the mail must not be expired by then.
    await stage.sql(`update mail set expires_at = ${Date.now() + 1e9}`)
    assert.match(await run('mail', 'retry', '--id', 'unknown'), /the mail must exist/)
    assert.match(
      await run('mail', 'retry', '--id', id),
      /^1 mail is due now: a running server tries to send it\n$/,
    )
    await stage.sql('update mail set next_try_at = 0')
    const [mail] = await server.received(1)
    assert.equal(mail?.parsed.messageId, `<${id}@localhost>`)
    await emptied()
    assert.match(await run('mail', 'retry'), /^no mail has failed;/)
  })

  it('a mail that fails 24 times becomes a dead letter', async () => {
    const started = await start()
    started.server.replies.push(450)
    await changePassword(started)
    await failed()
    await stage.sql('update mail set tries = 23, failure = null, next_try_at = 0')
    started.server.replies.push(450)
    const [row] = await failed()
    assert.notEqual(row?.['dead_at'], null)
  })

  it('a mail that has expired is not sent, and housekeeping deletes it', async () => {
    server = await startMailServer()
    server.replies.push(450)
    const started = await start()
    await changePassword(started)
    await failed()
    started.clock.advance(3 * 24 * hour)
    await started.keystile.close()
    const second = await stage.start({ ...mailTo(server), clock: started.clock })
    started.clock.advance(1)
    assert.equal(await countMails(), 1)
    await second.keystile.close()
    await stage.start({ ...mailTo(server), clock: started.clock })
    await emptied()
    assert.equal(server.tries, 1)
  })

  it('dropped notices are logged and listed, and a mail for a new password still comes', async () => {
    const logged: unknown[] = []
    const info = (fields: object, message: string): void =>
      void (message.includes('dropped') && logged.push([fields, message]))
    const { server, keystile, addUser, send } = await start({ logger: { ...silentLogger, info } })
    const subject = await addUser()
    for (let count = 0; count < 5; count++) await keystile.users?.setPassword(subject, next)
    await emptied()
    assert.equal(server.mails.length, 3)
    await send('POST', '/password-resets', { json: { login: 'ada' } })
    await server.received(4)

    const message = 'a mail was dropped, because its mailbox got too many mails'
    const dropped = [{ template: 'password_changed', subject }, message]
    assert.deepEqual(logged, [dropped, dropped])
    const list = async (...flags: string[]): Promise<string> => {
      const env = { KEYSTILE_DATABASE: stage.database }
      return (await callCommand(['mail', 'list', '--dropped', ...flags], { cwd: '/', env })).stdout
    }
    const time = '2026-11-25T12:00:00.000Z'
    assert.equal(await list(), `${time}\tpassword_changed\tada@example.com\t2 mails\n`)
    assert.deepEqual(JSON.parse(await list('--json')), {
      template: 'password_changed',
      subject,
      recipient: 'ada@example.com',
      drops: 2,
      last_dropped_at: time,
    })
    await keystile.users?.delete(subject)
    assert.equal(await list(), '')
  })

  it('notices about a stranger’s tagged address do not hide those of a verified one', async () => {
    const { server, keystile, addUser, login, clock } = await start()
    const ada = await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const eve = await addUser({ username: 'eve', email: 'ada+1@example.com' })
    for (let count = 0; count < 4; count++) await keystile.users?.setPassword(eve, next)
    await emptied()
    assert.equal(server.mails.length, 3)

    clock.advance(601)
    await login()
    await keystile.users?.setPassword(ada, next)
    await keystile.users?.disable(ada)
    await emptied()
    assert.deepEqual(
      server.mails.slice(3).map(({ envelope }) => envelope.to),
      [['ada@example.com'], ['ada@example.com'], ['ada@example.com']],
    )
  })

  it('a mailbox gets three mails an hour and ten a day, whatever its letter case', async () => {
    const started = await start()
    const { server, keystile, addUser, clock } = started
    const ada = await addUser()
    const mails = async (): Promise<number> => {
      await keystile.users?.setPassword(ada, next)
      await emptied()
      return server.mails.length
    }
    assert.deepEqual([await mails(), await mails(), await mails(), await mails()], [1, 2, 3, 3])
    await stage.sql(`update "user" set email = 'ADA@example.com'`)
    clock.advance(hour - 1)
    assert.equal(await mails(), 3)
    clock.advance(1)
    assert.equal(await mails(), 4)
    for (let hours = 2; hours < 24; hours++) {
      clock.advance(hour)
      await mails()
    }
    assert.equal(server.mails.length, 9)

    const other = await addUser({ username: 'bob', email: 'bob@example.com' })
    await keystile.users?.setPassword(other, next)
    await server.received(10)
  })

  it('the encrypted IP address in a stored mail can be decrypted only in its own row', async () => {
    server = await startMailServer()
    server.replies.push(450)
    const started = await start()
    const { send, accessToken, clock } = started
    const bearer = await accessToken()
    await send('POST', '/users/me/password', {
      bearer,
      json: { current_password: password, new_password: next },
      remoteAddress: '192.0.2.7',
    })
    const [row] = await failed()
    assert.ok(String(row?.['sealed']).length > 20)
    assert.doesNotMatch(JSON.stringify(row), /192\.0\.2\.7/)

    await stage.sql("update mail set id = 'moved', failure = null")
    clock.advance(10)
    const [moved] = await failed()
    assert.deepEqual([moved?.['failure'], moved?.['dead_at'] === null], ['unreadable', false])
    assert.equal(server.tries, 1)
  })

  it('deleting a user deletes the waiting mails to that user, and no other mails', async () => {
    server = await startMailServer()
    server.replies.push(450, 450)
    const { keystile, addUser } = await start()
    const ada = await addUser()
    await keystile.users?.disable(ada)
    await keystile.users?.disable(await addUser({ username: 'bob', email: 'bob@example.com' }))
    await until(async () => (await failed()).length >= 2)
    await keystile.users?.delete(ada)
    assert.deepEqual(
      (await stage.sql('select recipient from mail')).map(({ recipient }) => recipient),
      ['bob@example.com'],
    )
  })

  it('after a restart, the server sends the mails that were waiting', async () => {
    server = await startMailServer()
    server.replies.push(450)
    const started = await start()
    await changePassword(started)
    await failed()
    await started.keystile.close()
    started.clock.advance(10)
    await stage.start({ ...mailTo(server), clock: started.clock })
    await server.received(1)
    await emptied()
  })
}

function oneOf(mail: ReceivedMail | undefined): ReceivedMail {
  assert.ok(mail)
  return mail
}

/** Statements that make each commit of a mail fail, after all its statements have succeeded. */
function refuseCommits(kind: 'SQLite' | 'PostgreSQL'): readonly string[] {
  return kind === 'SQLite'
    ? [
        'create table parent (id text primary key)',
        'create table late (id text references parent (id) deferrable initially deferred)',
        'create trigger late after insert on mail begin insert into late values (new.id); end',
      ]
    : [
        `create function late() returns trigger language plpgsql
          as $$ begin raise exception 'no'; end $$`,
        `create constraint trigger late after insert on mail deferrable initially deferred
          for each row execute function late()`,
      ]
}
