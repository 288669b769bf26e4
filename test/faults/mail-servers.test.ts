// Mails to real mail servers: postfix, opensmtpd, exim and aiosmtpd of Debian, over STARTTLS and
// with a login. Each server is installed in an overlay of its own, so the test must run as root.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import {
  createTestClock,
  password,
  startKeystile,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import { whyNoOverlay } from '../support/in-overlay.ts'
import {
  mailServers,
  startRealMailServer,
  type MailServerName,
  type RealMailServer,
} from './mail-servers/mail-servers.ts'
import { dkimRecord, mailSettings, sendAllMails } from './mail-servers/send-all-mails.ts'
import { startSmtpProxy, type SmtpProxy } from './mail-servers/smtp-proxy.ts'

const python = '/usr/bin/python3'
const reason = process.env['KEYSTILE_LONG'] ? whyNot() : undefined
const skip = process.env['KEYSTILE_LONG'] ? (reason ?? false) : 'KEYSTILE_LONG=1 runs it'
if (reason) console.error(`\n*** No mail is sent to real mail servers: ${reason}. ***\n`)
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

function whyNot(): string | undefined {
  const { status } = spawnSync(python, ['-c', 'import dkim'])
  return status === 0 ? whyNoOverlay(...Object.values(mailServers).flat()) : 'install python3-dkim'
}

for (const name of Object.keys(mailServers) as MailServerName[])
  describe(`mails to ${name}`, { skip, timeout: 600_000 }, () => testMails(name))

function testMails(name: MailServerName): void {
  let server: RealMailServer
  let proxy: SmtpProxy
  let folder: string
  let sqlite: DatabaseSync | undefined
  const clock = createTestClock()
  const running: TestKeystile[] = []

  before(async () => {
    server = await startRealMailServer(name)
  })
  after(() => server.stop())
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-mails-'))
    proxy = await startSmtpProxy(server.port)
    server.clear()
  })
  afterEach(async () => {
    for (const { keystile } of running.splice(0)) await keystile.close()
    sqlite?.close()
    sqlite = undefined
    proxy.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (): Promise<TestKeystile> => {
    const file = join(folder, 'keystile.db')
    const mailUrl = `smtp://app:secret@127.0.0.1:${proxy.port}`
    const started = await startKeystile({ ...mailSettings, database: file, clock, mailUrl })
    running.push(started)
    sqlite = new DatabaseSync(file, { timeout: 60_000 })
    return started
  }
  const rows = (): readonly Readonly<Record<string, unknown>>[] =>
    sqlite?.prepare('select * from mail').all() ?? []
  const emptied = async (): Promise<void> => {
    for (; rows().length > 0; await delay(20))
      for (const { dead_at, failure } of rows()) assert.equal(dead_at, null, String(failure))
  }
  /** Disables a new user, who gets a notice. */
  const notify = async ({ keystile }: TestKeystile, username: string): Promise<void> => {
    const email = `${username}@example.com`
    const user = await keystile.users?.create({ username, email, password })
    await keystile.users?.disable(user?.id ?? '')
  }
  /** Returns the row of the only mail when its last try has failed. */
  const failed = async (): Promise<Readonly<Record<string, unknown>>> => {
    for (;;) {
      const [row] = rows()
      if (row?.['failure'] != null) return row
      await delay(20)
    }
  }

  it(`${name} receives signed mails in all languages, over TLS and after a login`, async () => {
    const mails = await sendAllMails(`smtp://app:secret@127.0.0.1:${server.port}`)
    const received = await server.received(mails.length)
    assert.equal(received.length, mails.length)
    const byId = new Map<string | undefined, string>()
    for (const raw of received) byId.set((await simpleParser(raw)).messageId, raw)

    for (const { message } of mails) {
      const raw = byId.get(message.messageId) ?? ''
      const parsed = await simpleParser(raw)
      assert.equal(parsed.subject, message.subject)
      assert.equal(parsed.text, message.text)
      assert.equal(parsed.html, message.html)
      assert.equal(parsed.from?.text, '"Example" <no-reply@example.com>')
      assert.deepEqual([parsed.to].flat()[0]?.text, 'ada@example.com')
      assert.equal(parsed.date?.toISOString(), message.date.toISOString())
      assert.equal(parsed.headers.get('auto-submitted'), 'auto-generated')
      assert.match(raw, /^Received: [^]*?\bwith ESMTPSA\b/im)
    }
    const script = join(import.meta.dirname, '../conformance/verify_dkim.py')
    const args = [script, ...dkimRecord, ...server.files()]
    const verified = execFileSync(python, args, { encoding: 'utf8' }).trim().split('\n')
    assert.deepEqual(
      verified,
      mails.map(() => 'True example.com'),
    )
  })

  it(`if ${name} refuses a mail temporarily (450), Keystile sends the mail again`, async () => {
    const started = await start()
    server.refuseLater(true)
    await notify(started, 'later')
    const { failure, tries, dead_at } = await failed()
    assert.deepEqual([failure, tries, dead_at], ['smtp_450', 1, null])
    server.refuseLater(false)
    clock.advance(10)
    await emptied()
    assert.equal((await server.received(1)).length, 1)
  })

  it(`if ${name} refuses a mail permanently (550), the mail becomes a dead letter`, async () => {
    await notify(await start(), 'never')
    const { failure, tries, dead_at } = await failed()
    assert.deepEqual([failure, tries, dead_at !== null], ['smtp_550', 1, true])
    assert.equal(server.files().length, 0)
  })

  it(`if the reply of ${name} to DATA is lost, the same mail is sent again`, async () => {
    const started = await start()
    proxy.cuts = 1
    await notify(started, 'ada')
    const { tries, dead_at } = await failed()
    assert.deepEqual([tries, dead_at, proxy.wereCut], [1, null, 1])
    clock.advance(10)
    await emptied()
    const mails = await Promise.all((await server.received(2)).map((raw) => simpleParser(raw)))
    assert.equal(mails.length, 2)
    assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 1)
  })

  it(`while ${name} is silent, requests and changes still succeed`, async () => {
    const started = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    proxy.banner = promise
    await notify(started, 'ada')
    await until(() => proxy.opened > 0)

    await started.keystile.users?.create({ username: 'bob', password })
    const { status, json } = await started.login({ username: 'bob' })
    assert.equal(status, 200)
    const bearer = json['access_token'] as string
    assert.equal((await started.open([], { bearer })).status, 200)
    await notify(started, 'eve')
    const refreshed = await started.refresh(json['refresh_token'] as string)
    assert.equal(refreshed.status, 200)
    assert.equal(rows().length, 2)

    resolve()
    proxy.banner = Promise.resolve()
    while (rows().length > 0) {
      clock.advance(10) // a try may have ended without a banner
      await delay(500)
    }
    assert.equal((await server.received(2)).length, 2)
  })
}
