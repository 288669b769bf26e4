// A forgotten password, from the request to the new password, by the link and the code of a mail.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import type { AppMail, MailMessage } from '@keystile/server'
import * as z from 'zod'
import {
  createTestClock,
  describeOnOne,
  password,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { mailsSent } from '../../packages/server/test-support/mails-sent.ts'
import { openBrowser } from '../../packages/server/test-support/page-browser.ts'
import { until } from '../../tools/until.ts'

const next = 'purple monkey dishwasher'

/** A stage whose Keystile sends its mails to a list, by the app's own function. */
interface Started extends TestKeystile {
  readonly clock: TestClock
  readonly mails: readonly MailMessage[]
  /** Requests a new password. Returns the id of the request. */
  request(login?: string, fields?: object): Promise<string>
  confirm(fields: object): Promise<Answer>
  /** Resolves when all requests are resolved and all mails are sent. Returns the newest mail. */
  settled(): Promise<Mail>
  /** Requests a new password, and returns the mail with the id of its request. */
  asked(login?: string, fields?: object): Promise<Mail & { readonly request_id: string }>
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
  const started = await stage.start({ clock, mail, ...options })
  const request: Started['request'] = async (login = 'ada', fields = {}) => {
    const answer = await started.send('POST', '/password-resets', { json: { login, ...fields } })
    assert.equal(answer.status, 202, answer.text)
    return String(answer.json['request_id'])
  }
  const settled = async (): Promise<Mail> => {
    await mailsSent(stage)
    return mailOf(mails.at(-1))
  }
  return {
    ...started,
    clock,
    mails,
    request,
    settled,
    async asked(login, fields) {
      // So that the last mail is the one asked for, and not one of before that is sent late.
      await mailsSent(stage)
      const request_id = await request(login, fields)
      return { request_id, ...(await settled()) }
    },
    confirm: (fields) =>
      started.send('POST', '/password-resets/confirm', { json: { new_password: next, ...fields } }),
  }
}

/** Gives the lease to another process, so that this one looks up no account and sends no mail. */
async function stopJobs({ sql }: Stage): Promise<void> {
  await sql(
    "insert into lease values ('jobs', 'another process', 1000, 4000000000000) on conflict (name) " +
      'do update set holder = excluded.holder, fence = 1000, expires_at = excluded.expires_at',
  )
}

function mailOf(message: MailMessage | undefined): Mail {
  assert.ok(message, 'no mail was sent')
  const token = /token=([\w-]{43})\n/.exec(message.text)?.[1] ?? ''
  const code = /^\d{4} \d{4}$/m.exec(message.text)?.[0] ?? ''
  return { message, token, code }
}

/** A code that is not the given one. */
function wrong(code: string): string {
  return code === '0000 0000' ? '0000 0001' : '0000 0000'
}

describeOnOne('PostgreSQL', 'a forgotten password', (stage) => {
  it('a mailed link sets a new password, but only once', async () => {
    const { addUser, asked, confirm, login } = await start(stage)
    await addUser()
    const { token, message } = await asked()
    assert.equal(message.to, 'ada@example.com')

    assert.equal((await confirm({ token })).status, 204)
    assert.equal((await login({ password: next })).status, 200)
    assert.equal((await login()).status, 400)
    assert.equal((await confirm({ token, new_password: password })).status, 403)
  })

  it('a mailed code and the id of its request set a new password, but only once', async () => {
    const { addUser, asked, confirm, login } = await start(stage)
    await addUser()
    const { code, request_id } = await asked('ADA@example.com')
    assert.match(code, /^\d{4} \d{4}$/)
    assert.equal((await confirm({ request_id, code: wrong(code) })).status, 403)
    assert.equal((await confirm({ request_id, code: code.replace(' ', '') })).status, 204)
    assert.equal((await login({ password: next })).status, 200)
    assert.equal((await confirm({ request_id, code, new_password: password })).status, 403)
  })

  it('only one of several simultaneous confirmations of a password reset succeeds', async () => {
    const { addUser, asked, confirm } = await start(stage)
    await addUser()
    const { token, code, request_id } = await asked()
    const answers = await Promise.all([
      confirm({ token }),
      confirm({ request_id, code }),
      confirm({ token }),
      confirm({ request_id, code }),
    ])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), [
      '204',
      '403',
      '403',
      '403',
    ])
  })

  it('a refused new password does not use up the link or count as a wrong code', async () => {
    const { addUser, asked, confirm, login } = await start(stage)
    await addUser()
    const { token, code, request_id } = await asked()
    for (const proof of [{ token }, ...Array.from({ length: 12 }, () => ({ request_id, code }))]) {
      const { status, json } = await confirm({ ...proof, new_password: 'ada-lovelace-1815' })
      assert.equal(status, 422)
      assert.deepEqual(json['errors'][0].loc, ['body', 'new_password'])
    }
    assert.equal((await login()).status, 200)
    assert.equal((await confirm({ request_id, code })).status, 204)
  })

  it('a reset code works only for its own request and its own account', async () => {
    const { addUser, asked, confirm } = await start(stage)
    await addUser()
    await addUser({ username: 'eve', email: 'eve@example.com' })
    const ada = await asked('ada')
    const eve = await asked('eve')
    const again = await asked('ada')
    for (const [{ request_id }, { code }] of [
      [ada, eve],
      [eve, ada],
      [ada, again],
      [again, ada],
    ] as const)
      assert.equal((await confirm({ request_id, code })).status, 403)
    for (const { request_id, code } of [ada, eve])
      assert.equal((await confirm({ request_id, code })).status, 204)
  })

  it('a link and a code for another purpose do not set a password', async () => {
    const { addUser, asked, confirm } = await start(stage)
    await addUser()
    const { token, code, request_id } = await asked()
    await stage.sql("update mail_proof set purpose = 'email_verification'")
    assert.equal((await confirm({ token })).status, 403)
    assert.equal((await confirm({ request_id, code })).status, 403)
    await stage.sql("update mail_proof set purpose = 'password_reset'")
    assert.equal((await confirm({ token })).status, 204)
  })

  it('POST /password-resets gives the same answer for every login name', async () => {
    const { addUser, keystile, send, disable, settled, request, mails } = await start(stage)
    await addUser()
    await disable(await addUser({ username: 'eve', email: 'eve@example.com' }))
    await keystile.users?.create({ username: 'bob', password })
    const shapes: unknown[] = []
    for (const login of ['ada', 'eve', 'bob', 'unknown', 'no@example.com', '', 'x'.repeat(500)]) {
      const { status, headers, json } = await send('POST', '/password-resets', { json: { login } })
      const lengths = Object.entries(json).map(([name, value]) => [name, String(value).length])
      shapes.push([status, [...headers], lengths])
    }
    for (const shape of shapes) assert.deepEqual(shape, shapes[0])
    await request('ada')
    await settled()
    assert.deepEqual(
      mails.filter(({ text }) => text.includes('token=')).map(({ to }) => to),
      ['ada@example.com', 'ada@example.com'],
    )
  })

  it('POST /password-resets looks up no user, and stores equal rows for all logins', async () => {
    const { addUser, request, settled } = await start(stage)
    await addUser()
    await stopJobs(stage)
    await request('ada')
    await request('bob')
    const columns = 'subject, mailbox, tries, resolved_at, expires_at, length(sealed) as sealed'
    const [known, unknown] = await stage.sql(`select ${columns} from mail_proof order by id`)
    assert.deepEqual(known, unknown)
    assert.equal(known?.['subject'], null)
    await stage.sql('delete from lease')
    await settled()
    const rows = await stage.sql(
      'select subject is null as open, sealed, tries from mail_proof order by subject is null',
    )
    assert.deepEqual(
      rows.map(({ open, ...row }) => ({ ...row, open: Boolean(open) })),
      [
        { open: false, sealed: null, tries: 0 },
        { open: true, sealed: null, tries: 0 },
      ],
    )
  })

  it('all password resets without a valid link or code get the same answer', async () => {
    const { addUser, asked, request, settled, confirm, disable, users, clock } = await start(stage)
    const ada = await addUser()
    const eve = await addUser({ username: 'eve', email: 'eve@example.com' })
    const used = await asked('ada')
    assert.equal((await confirm(used)).status, 422, 'either a token or a code')
    await confirm({ token: used.token })
    const disabled = await asked('eve')
    await disable(eve)
    const unknown = await request('unknown')
    await settled()
    const moved = await asked('ada')
    const right = moved.code
    const wrongs: readonly object[] = [
      { request_id: 'unknown', code: '12345678' },
      { request_id: unknown, code: '12345678' },
      { request_id: moved.request_id, code: wrong(right) },
      { request_id: moved.request_id, code: '' },
      { request_id: used.request_id, code: used.code },
      { request_id: disabled.request_id, code: disabled.code },
      { token: 'unknown' },
      { token: '' },
      { token: used.token },
      { token: disabled.token },
      { token: disabled.token, new_password: 'short' },
      { token: moved.request_id },
    ]
    const answers = []
    for (const fields of wrongs) answers.push(await confirm(fields))
    const found = await users.readBySubject(ada)
    assert.ok(found)
    const email = { shown: 'new@example.com', key: 'new@example.com' }
    assert.equal(await users.changeEmail(found, email, { actor: 'operator' }), 'changed')
    answers.push(await confirm({ token: moved.token }))
    answers.push(await confirm({ token: moved.token, new_password: 'short' }))
    answers.push(await confirm({ request_id: moved.request_id, code: right }))
    const late = await asked('ada')
    clock.advance(3 * 3_600)
    answers.push(await confirm({ token: late.token }))
    answers.push(await confirm({ token: late.token, new_password: 'short' }))
    answers.push(await confirm({ request_id: late.request_id, code: late.code }))

    const [first] = answers.map(({ status, headers, text }) => [status, [...headers], text])
    assert.equal(first?.[0], 403)
    for (const { status, headers, text } of answers)
      assert.deepEqual([status, [...headers], text], first)
  })

  it('a reset link works for three hours', async () => {
    const { addUser, asked, confirm, clock } = await start(stage)
    await addUser()
    const { token } = await asked()
    clock.advance(3 * 3_600 - 1)
    assert.equal((await confirm({ token })).status, 204)
  })

  it('after five wrong reset codes, the right code is refused, but the link works', async () => {
    const { addUser, asked, confirm } = await start(stage)
    await addUser()
    const { token, code, request_id } = await asked()
    await Promise.all(Array.from({ length: 20 }, () => confirm({ request_id, code: wrong(code) })))
    const [row] = await stage.sql('select tries from mail_proof')
    assert.equal(Number(row?.['tries']), 5)
    assert.equal((await confirm({ request_id, code })).status, 403)
    assert.equal((await confirm({ token })).status, 204)
  })

  it('for 144 min after ten wrong reset codes, an account accepts links but no codes', async () => {
    const { addUser, asked, confirm, clock } = await start(stage)
    await addUser()
    let tries = 0
    /** Tries wrong codes of new requests for an hour, and returns the last request. */
    const guess = async (): Promise<Mail & { readonly request_id: string }> => {
      for (;;) {
        const mail = await asked()
        for (let wrongs = 0; wrongs < 4; wrongs++) {
          const before = await readTat(stage)
          await confirm({ request_id: mail.request_id, code: wrong(mail.code) })
          if ((await readTat(stage)) === before) return mail
          tries++
        }
      }
    }
    const { token, code, request_id } = await guess()
    assert.equal(tries, 10)
    assert.equal((await confirm({ request_id, code })).status, 403)
    assert.equal((await confirm({ token })).status, 204)

    clock.advance(144 * 60)
    const later = await asked()
    const { status } = await confirm({ request_id: later.request_id, code: later.code })
    assert.equal(status, 204)
  })

  it('a mailbox gets three reset mails an hour; more requests leave the links valid', async () => {
    const { addUser, asked, request, settled, confirm, mails } = await start(stage)
    await addUser()
    const { token } = await asked()
    for (let more = 0; more < 5; more++) await request()
    await settled()
    assert.equal(mails.length, 3)
    assert.equal((await confirm({ token })).status, 204)
  })

  it('despite a flood of reset requests, the owner’s known device can request a mail', async () => {
    const started = await start(stage, { rateLimits: 'on' })
    const { addUser, login, send, asked, request, settled, confirm, mails, clock } = started
    await addUser()
    await addUser({ username: 'eve', email: 'eve@example.com' })
    await stage.sql('update "user" set email_verified_at = 1')
    const { json: owner } = await login()
    const { json: other } = await login({ username: 'eve' })
    const first = await asked()
    clock.advance(1)
    const flood = async (): Promise<number> =>
      (await send('POST', '/password-resets', { json: { login: 'ADA' } })).status
    const statuses = []
    for (let count = 0; count < 6; count++) statuses.push(await flood())
    assert.deepEqual(new Set(statuses), new Set([202]))
    for (let count = 0; count < 3; count++)
      await request('ada', { device_secret: other['device_secret'] })
    await settled()
    assert.equal(mails.length, 3)

    const { token } = await asked('ada', { device_secret: owner['device_secret'] })
    assert.equal(mails.length, 4)
    const rows = await stage.sql('select id from mail_proof')
    assert.equal(rows.length, 11, 'an evicted proof keeps its row, so its absence tells nothing')
    assert.equal((await confirm({ token })).status, 204)
    assert.equal((await confirm({ token: first.token })).status, 403)
  })

  for (const [what, verifiedAt, ...expected] of [
    ['that was never verified gets 3 mails at once and 10 a day', 'null', 3, 10],
    ['that is verified gets 6 mails at once and 26 a day', '1', 6, 26],
  ] as const)
    it(`however many devices ask for new passwords, an address ${what}`, async () => {
      const { addUser, login, request, settled, mails, clock } = await start(stage)
      await addUser()
      await stage.sql(`update "user" set email_verified_at = ${verifiedAt}`)
      const devices = []
      for (let count = 0; count < 5; count++) devices.push((await login()).json['device_secret'])

      const counts = []
      for (let round = 0; round <= 10; round++) {
        for (const device_secret of devices) await request('ada', { device_secret })
        for (let stranger = 0; stranger < 3; stranger++) await request('ada')
        await settled()
        counts.push(mails.length)
        clock.advance(144 * 60)
      }
      assert.deepEqual([counts[0], counts[10]], expected)
    })

  it('a known device that has used up its own mails gets those of unknown devices', async () => {
    const { addUser, login, asked, request, settled, confirm, mails } = await start(stage)
    await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const { device_secret } = (await login()).json
    for (let count = 0; count < 3; count++) await request('ada', { device_secret })
    await settled()
    const { token } = await asked('ada', { device_secret })
    assert.equal(mails.length, 4)
    assert.equal((await confirm({ token })).status, 204)
  })

  it('a fourth link for unknown devices evicts the first, not a known device’s link', async () => {
    const { addUser, login, asked, confirm, clock } = await start(stage)
    await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const { device_secret } = (await login()).json
    const own = await asked('ada', { device_secret })
    const tokens = []
    for (let count = 0; count < 4; count++) {
      if (count === 3) await stage.sql('delete from rate')
      clock.advance(1)
      tokens.push((await asked()).token)
    }
    assert.equal((await confirm({ token: tokens[0] ?? '' })).status, 403, 'evicted')
    const bound = await stage.sql('select allowance from mail_proof where subject is not null')
    assert.equal(bound.length, 4)
    assert.equal((await confirm({ token: own.token })).status, 204)
  })

  it('a stranger who times each request cannot keep a verified owner from a working link', async () => {
    const started = await start(stage, { rateLimits: 'on', trustedProxies: [] })
    const { keystile, addUser, send, settled, mails, clock } = started
    await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    await addUser({ username: 'eve', email: 'ada+1@example.com' })
    await keystile.users?.create({
      username: 'bob',
      email: 'ada+2@example.com',
      emailVerified: true,
      password,
    })
    const ask = async (login: string, remoteAddress: string): Promise<void> => {
      const { status } = await send('POST', '/password-resets', { json: { login }, remoteAddress })
      assert.equal(status, 202)
    }
    const interval = 144 * 60
    for (let round = 0; round < 4; round++) {
      // The stranger takes each mail as soon as one is possible; the owner comes last.
      for (const login of ['eve', 'bob', 'ada@example.com'])
        for (let count = 0; count < 3; count++) await ask(login, `192.0.2.${round}`)
      await settled()
      clock.advance(interval - 1)
      await ask('ada@example.com', '198.51.100.9')
      await settled()
      const newest = mailOf(mails.findLast(({ to }) => to === 'ada@example.com'))
      const page = await send('GET', `/account/reset-password?token=${newest.token}`)
      assert.equal(page.status, 200, `round ${round}`)
      clock.advance(1)
    }
    const count = mails.filter(({ to }) => to === 'ada@example.com').length
    assert.equal(count, 3 + 3)
  })

  it('notices about a taken address do not use up the mails for a new password', async () => {
    const options = { registration: 'open', emailVerification: 'required' } as const
    const { keystile, send, asked, settled, mails } = await start(stage, options)
    const ada = { username: 'ada', email: 'ada@example.com', password }
    await keystile.users?.create({ ...ada, emailVerified: true })
    for (let count = 0; count < 5; count++) {
      const json = { ...ada, username: `eve${count}` }
      assert.equal((await send('POST', '/users', { json })).status, 202)
    }
    await settled()
    assert.equal(mails.length, 3)
    assert.notEqual((await asked()).token, '')
  })

  it('strangers who stop all resets of unknown devices do not stop those of known ones', async () => {
    const { addUser, login, send, clock } = await start(stage, { rateLimits: 'on' })
    await addUser()
    const { device_secret } = (await login()).json
    const status = async (json: object): Promise<number> =>
      (await send('POST', '/password-resets', { json })).status
    await exhaust(stage, 'reset-server', clock)
    assert.equal(await status({ login: 'ada' }), 429)
    assert.equal(await status({ login: 'ada', device_secret }), 202)

    await exhaust(stage, 'reset-known-server', clock)
    assert.equal(await status({ login: 'ada', device_secret }), 429)
    clock.advance(2)
    assert.equal(await status({ login: 'eve' }), 202)
    assert.equal(await status({ login: 'eve' }), 429)
    assert.equal(await status({ login: 'ada', device_secret }), 202)
    assert.equal(await status({ login: 'ada', device_secret }), 429)
  })

  it('the page for a new password knows the browser that has logged in at the pages', async () => {
    const running = await start(stage, { rateLimits: 'on', loginPages: 'on' })
    await running.addUser()
    const known = openBrowser(running)
    await known.open('/login')
    await known.submit({ username: 'ada', password })
    await known.open('/logout')
    await known.submit()
    await exhaust(stage, 'reset-server', running.clock)
    for (const [browser, status] of [
      [openBrowser(running), 429],
      [known, 303],
    ] as const) {
      const form = { login: 'ada' }
      const headers = { origin: 'http://localhost:3000' }
      const answer = await browser.request('POST', '/account/forgot-password', { form, headers })
      assert.equal(answer.status, status)
    }
  })

  it('one account uses at most five resets of known devices, with any devices', async () => {
    const { addUser, login, send, clock } = await start(stage, { rateLimits: 'on' })
    await addUser()
    const devices = [(await login()).json, (await login()).json, (await login()).json]
    await exhaust(stage, 'reset-server', clock)
    const statuses = []
    for (let count = 0; count < 6; count++) {
      const { device_secret } = devices[count % devices.length] ?? {}
      const json = { login: `user${count}`, device_secret }
      statuses.push((await send('POST', '/password-resets', { json })).status)
    }
    assert.deepEqual(statuses, [202, 202, 202, 202, 202, 429])
  })

  it('a password reset stores no device secret that this server did not issue', async () => {
    const { send, addUser, login } = await start(stage, { rateLimits: 'on' })
    await stopJobs(stage)
    const lengthWith = async (device_secret: string): Promise<number> => {
      const json = { login: 'ada', device_secret }
      assert.equal((await send('POST', '/password-resets', { json })).status, 202)
      const [row] = await stage.sql('select length(sealed) as n from mail_proof')
      await stage.sql('delete from mail_proof')
      return Number(row!['n'])
    }
    const without = await lengthWith('')
    assert.equal(await lengthWith('x'.repeat(60_000)), without)
    await addUser()
    const { device_secret } = (await login()).json
    assert.ok((await lengthWith(device_secret)) > without)
    assert.equal(await lengthWith(device_secret + ' '.repeat(60_000)), without)
  })

  it('the networks of an IPv6 /48 request at most 80 password resets together', async () => {
    const { send } = await start(stage, { rateLimits: 'on', trustedProxies: [] })
    const from = async (n: number, remoteAddress: string): Promise<number> =>
      (await send('POST', '/password-resets', { json: { login: `user${n}` }, remoteAddress }))
        .status
    for (let n = 0; n < 80; n++) assert.equal(await from(n, `2001:db8:0:${n}::1`), 202)
    assert.equal(await from(80, '2001:db8:0:80::1'), 429)
    assert.equal(await from(80, '2001:db8:1::1'), 202)
  })

  it('requests for a password reset and refused links have limits per IP address', async () => {
    const options = { rateLimits: 'on', trustedProxies: [] } as const
    const { send, addUser, login } = await start(stage, options)
    const from = async (path: string, json: object, remoteAddress = '192.0.2.7') =>
      (await send('POST', path, { json, remoteAddress })).status
    for (let count = 0; count < 20; count++)
      assert.equal(await from('/password-resets', { login: `user${count}` }), 202)
    assert.equal(await from('/password-resets', { login: 'other' }), 429)
    assert.equal(await from('/password-resets', { login: 'other' }, '192.0.2.8'), 202)

    await addUser({ username: 'eve', email: 'eve@example.com' })
    const { device_secret } = (await login({ username: 'eve' })).json
    const known = { login: 'other', device_secret }
    assert.equal(await from('/password-resets', known), 429, 'devices do not spare the address')
    assert.equal(await from('/password-resets', known, '192.0.2.8'), 202)

    const guess = { token: 'guess', new_password: next }
    for (let count = 0; count < 100; count++)
      assert.equal(await from('/password-resets/confirm', guess), 403)
    assert.equal(await from('/password-resets/confirm', guess), 429)
    assert.equal(await from('/password-resets/confirm', guess, '192.0.2.8'), 403)
  })

  it('a password reset ends all sessions and their tokens, and forgets known devices', async () => {
    const { tokens, login, asked, confirm, send, refresh } = await start(stage, {
      rateLimits: 'on',
    })
    const { refreshToken } = await tokens()
    const { device_secret, access_token: bearer } = (await login()).json
    // The device stays known by its session, in which the user sets a password.
    const changed = { current_password: password, new_password: 'a third password of hers' }
    const { status } = await send('POST', '/users/me/password', { bearer, json: changed })
    assert.equal(status, 204)
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
    const { token } = await asked()
    assert.equal((await confirm({ token })).status, 204)

    assert.equal((await send('GET', '/users/me', { bearer })).status, 401)
    assert.equal((await refresh(refreshToken)).json['error'], 'invalid_grant')
    for (let count = 0; count < 10; count++) await login()
    assert.equal((await login({ password: next, device_secret })).status, 429)
  })

  it('a new password by mail or by the app makes all reset links of the user invalid', async () => {
    const { addUser, asked, confirm, keystile, clock } = await start(stage)
    const ada = await addUser()
    const [first, second] = [await asked(), await asked()]
    assert.equal((await confirm({ token: second.token })).status, 204)
    assert.equal((await confirm({ token: first.token })).status, 403)
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])

    // The first reset has verified the mailbox.
    clock.advance(24 * 60 * 60)
    const [third, fourth] = [await asked(), await asked()]
    assert.notEqual(third.token, fourth.token)
    assert.equal((await confirm({ token: fourth.token, new_password: password })).status, 204)
    assert.equal((await confirm({ token: third.token })).status, 403)

    clock.advance(24 * 60 * 60)
    const { token } = await asked()
    assert.notEqual(token, fourth.token)
    await keystile.users?.setPassword(ada, password)
    assert.equal((await confirm({ token })).status, 403)
  })

  it('a changed password leaves the links to a verified address valid', async () => {
    const { addUser, asked, confirm, login, send } = await start(stage)
    await addUser()
    const change = async (from: string, to: string): Promise<void> => {
      const bearer = (await login({ password: from })).json['access_token'] as string
      const json = { current_password: from, new_password: to }
      assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 204)
    }
    const strange = await asked()
    await change(password, next)
    assert.equal((await confirm({ token: strange.token })).status, 403)

    await stage.sql('update "user" set email_verified_at = 1')
    const own = await asked()
    await change(next, 'what the thief has chosen')
    assert.equal((await confirm({ token: own.token, new_password: password })).status, 204)
    assert.equal((await login()).status, 200)
    assert.equal((await login({ password: 'what the thief has chosen' })).status, 400)
  })

  it('a password reset clears the profile only if the address was not yet verified', async () => {
    const profile = z.object({ website: z.string().optional() })
    const { addUser, asked, confirm, users, send, login } = await start(stage, { profile })
    const subject = await addUser({ website: 'https://evil.example' } as object)
    const before = await asked()
    assert.equal((await confirm({ token: before.token })).status, 204)
    const user = await users.readBySubject(subject)
    assert.deepEqual([user?.profile, user?.publicUser.emailVerified], [{}, true])

    const bearer = (await login({ password: next })).json['access_token'] as string
    const json = { website: 'https://ada.example' }
    assert.equal((await send('PATCH', '/users/me', { bearer, json })).status, 200)
    const again = await asked()
    assert.equal((await confirm({ token: again.token, new_password: password })).status, 204)
    assert.deepEqual((await users.readBySubject(subject))?.profile, json)
  })

  it('a password reset makes an audit entry, an event for the app and a mail', async () => {
    const events: unknown[] = []
    const { addUser, asked, confirm, settled, clock } = await start(stage, {
      onEvent: ({ at: _at, ...event }: { at: Date; type: string }) => {
        if (event.type === 'changed') events.push(event)
      },
    })
    const subject = await addUser()
    const { token } = await asked()
    assert.equal((await confirm({ token })).status, 204)
    const [entry] = await stage.sql("select actor, subject from audit where event like '%reset%'")
    assert.deepEqual({ ...entry }, { actor: 'nobody', subject })
    assert.equal(
      await settled().then(({ message }) => message.subject, String),
      'Your password at localhost:3000 was changed',
    )
    const change = { type: 'changed', subject, actor: 'nobody' }
    // The first reset also verifies the address and clears the profile.
    const all = ['password', 'profile', 'email'].map((what) => ({ ...change, what }))
    assert.deepEqual(events, all)

    clock.advance(24 * 60 * 60)
    const again = await asked()
    const second = await confirm({ token: again.token, new_password: password })
    assert.equal(second.status, 204)
    assert.deepEqual(events.slice(all.length), [{ ...change, what: 'password' }])
  })

  it('after a user is deleted, older reset links and requests do nothing', async () => {
    const { addUser, asked, request, settled, confirm, keystile, mails } = await start(stage)
    const subject = await addUser()
    const { token } = await asked()
    await request()
    await keystile.users?.delete(subject)
    await settled()
    assert.deepEqual(await stage.sql('select id from mail_proof where subject is not null'), [])
    assert.ok(mails.length <= 2)
    assert.equal((await confirm({ token })).status, 403)
  })

  it('no reset mail is sent if the user is disabled before the mail is written', async () => {
    const { addUser, disable, settled, request } = await start(stage)
    const subject = await addUser()
    await Promise.all([request(), disable(subject)])
    assert.match((await settled()).message.subject, /was disabled/)
  })

  it('disabling a user makes links and codes invalid, also after the user is enabled', async () => {
    const { addUser, keystile, asked, confirm } = await start(stage)
    const subject = await addUser()
    const { token, code, request_id } = await asked()
    await keystile.users?.disable(subject)
    await keystile.users?.enable(subject)
    assert.equal((await confirm({ token })).status, 403)
    assert.equal((await confirm({ request_id, code })).status, 403)
    const later = await asked()
    assert.equal((await confirm({ token: later.token })).status, 204)
  })

  it('after an operator has ended reset links, the owner gets another at once', async () => {
    const started = await start(stage)
    const { addUser, asked, request, settled, keystile, users, mails } = started
    const subject = await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    for (const by of ['disable', 'set-password']) {
      for (let count = 0; count < 4; count++) await request()
      await settled()
      const sent = mails.length
      if (by === 'disable') {
        await keystile.users?.disable(subject)
        await keystile.users?.enable(subject)
      } else {
        const user = await users.readBySubject(subject)
        assert.ok(user)
        const changed = await users.changePassword(user, user.passwordHash, { actor: 'operator' })
        assert.equal(changed, 'changed')
      }
      await settled()
      const before = mails.length
      const { message, token } = await asked()
      assert.ok(sent >= 3 && mails.length === before + 1, by)
      assert.notEqual(token, '', message.text)
    }
  })

  it('after a reset, the owner gets another link at once, also if strangers used up the mails', async () => {
    const { addUser, asked, confirm, request, settled, mails } = await start(stage)
    await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const { token } = await asked()
    for (let count = 0; count < 3; count++) await request()
    await settled()
    assert.equal((await confirm({ token })).status, 204)
    await settled()
    const before = mails.length
    const another = await asked()
    assert.equal(mails.length, before + 1)
    assert.equal((await confirm({ token: another.token, new_password: password })).status, 204)
  })

  it('a new password of the app does not clear the count of mails for a new password', async () => {
    const { addUser, request, settled, keystile, mails } = await start(stage)
    const subject = await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    for (let count = 0; count < 3; count++) await request()
    await settled()
    await keystile.users?.setPassword(subject, next)
    await settled()
    const before = mails.length
    await request()
    await settled()
    assert.equal(mails.length, before)
  })

  it('a reset link is built from the settings, never from the request', async () => {
    const { addUser, send, settled } = await start(stage)
    await addUser()
    await send('POST', '/password-resets', {
      json: { login: 'ada' },
      headers: {
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
        forwarded: 'host=evil.example',
        'accept-language': 'de-AT,en;q=0.5',
      },
    })
    const { message, token } = await settled()
    assert.doesNotMatch(`${message.text}${message.html}`, /evil/)
    const link = `http://localhost:3000/auth/account/reset-password?token=${token}`
    assert.ok(message.text.includes(`\n${link}\n`))
    assert.ok(message.html.includes(`<a class="link" href="${link}"`))
    assert.equal(message.subject, 'Neues Passwort für localhost:3000')
  })

  it('with accountPagesUrl, a reset link leads to the app’s page', async () => {
    const { addUser, asked, send } = await start(stage, {
      accountPagesUrl: 'https://app.example/account/',
    })
    await addUser()
    const { message, token } = await asked()
    assert.ok(message.text.includes(`https://app.example/account/reset-password?token=${token}\n`))
    assert.equal((await send('GET', '/account/reset-password')).status, 404)
  })

  it('the database contains no login, token, code or request id of a password reset', async () => {
    const { addUser, request, settled, mails } = await start(stage)
    await addUser()
    const request_id = await request('Ada@Example.com')
    const before = JSON.stringify(await stage.sql('select * from mail_proof'))
    const { token, code } = await settled()
    const after = JSON.stringify(await stage.sql('select * from mail_proof'))
    const secrets = [request_id, token, code, code.replace(' ', ''), 'Ada@']
    for (const secret of secrets) {
      assert.ok(!before.includes(secret), secret)
      assert.ok(!after.includes(secret), secret)
    }
    assert.equal(mails.length, 1)
    if (stage.kind === 'PostgreSQL') return

    for (const file of readdirSync(dirname(stage.database))) {
      const bytes = readFileSync(join(dirname(stage.database), file), 'latin1')
      for (const secret of secrets) assert.ok(!bytes.includes(secret), `${file}: ${secret}`)
    }
  })

  it('a stolen database reveals no reset code, even of a request that the thief has made', async () => {
    const { addUser, asked } = await start(stage)
    await addUser()
    const { code, request_id } = await asked()
    const digits = code.replace(' ', '')
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
    const [row] = await stage.sql('select * from mail_proof')
    assert.ok(row?.['code_hash'])
    for (const known of ['', request_id, ...Object.values(row).map(String)])
      assert.notEqual(row['code_hash'], hash(`${known}\n${digits}`))
  })

  it('housekeeping deletes expired requests for a password reset', async () => {
    const first = await start(stage)
    await first.addUser()
    await first.asked()
    await first.request('unknown')
    await first.settled()
    await first.keystile.close()
    first.clock.advance(3 * 3_600 + 1)
    await stage.start({ clock: first.clock })
    await until(async () => (await stage.sql('select id from mail_proof')).length === 0)
  })

  it('without the settings for mail, there are no endpoints for a password reset', async () => {
    const { send } = await stage.start()
    for (const path of ['/password-resets', '/password-resets/confirm', '/account/reset-password'])
      assert.equal((await send('POST', path, { json: {} })).status, 404, path)
  })
})

function rateKey(rate: string, counted: string): string {
  return createHash('sha256').update(`${rate}\n${counted}`).digest('base64url')
}

/** Uses up a limit of the whole server: 600 at once, then one each 2 s. */
async function exhaust(stage: Stage, rate: string, clock: TestClock): Promise<void> {
  const [key, tat] = [rateKey(rate, ''), clock.now() + 600 * 2_000]
  await stage.sql(`delete from rate where key = '${key}'`)
  await stage.sql(`insert into rate values ('${key}', ${tat})`)
}

/** Returns the state of the limit for wrong codes of the only account. */
async function readTat(stage: Stage): Promise<number> {
  const [row] = await stage.sql('select subject from mail_proof where subject is not null')
  const key = rateKey('mail-code', String(row?.['subject']))
  const [rate] = await stage.sql(`select tat from rate where key = '${key}'`)
  return Number(rate?.['tat'] ?? 0)
}
