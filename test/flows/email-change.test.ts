// A new address: confirmed by a mail to it, and undone by a mail to the old one.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import {
  createTestClock,
  describeOnOne,
  password,
  tokensOf,
  type Answer,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import {
  startWithMailbox,
  type ReadMail,
  type WithMailbox,
} from '../../packages/server/test-support/mailbox.ts'
import {
  enrol,
  tokensWithFactor,
  type Enrolled,
} from '../../packages/server/test-support/second-factor.ts'
import { until } from '../../tools/until.ts'

const [old, fresh, third] = ['ada@example.com', 'ada@new.example', 'ada@third.example']
const next = 'purple monkey dishwasher'
const week = 7 * 24 * 60 * 60

/** Keystile with a user, whose address can be changed. */
interface Started extends WithMailbox {
  readonly subject: string
  readonly bearer: string
  change(email: string, bearer?: string): Promise<Answer>
  confirm(fields: object, bearer?: string): Promise<Answer>
  undo(token: string): Promise<Answer>
  /** Requests a new address, and returns the mail with the id of its request. */
  asked(email?: string): Promise<ReadMail & { readonly request_id: string }>
  /** Changes the address, and returns the mail to the old mailbox. */
  changed(email: string, from: string): Promise<ReadMail>
  /** The address of the user, and whether it is verified. */
  address(): Promise<readonly unknown[]>
}

/** Marks all addresses as verified. The mails of the registrations count for no limit any more. */
async function verifyAddresses(stage: Stage, { settled }: WithMailbox): Promise<void> {
  await settled()
  await stage.sql('delete from rate')
  await stage.sql('update "user" set email_verified_at = 1')
}

describeOnOne('PostgreSQL', 'a new address', (stage) => {
  const start = async (options: object = {}): Promise<Started> => {
    const started = await startWithMailbox(stage, { emailVerification: 'optional', ...options })
    const { send, users, mailTo } = started
    const subject = await started.addUser()
    await verifyAddresses(stage, started)
    const bearer = await started.accessToken()
    const change: Started['change'] = (new_email, token = bearer) =>
      send('POST', '/users/me/email', {
        bearer: token,
        json: { current_password: password, new_email },
      })
    const confirm: Started['confirm'] = (json, token) =>
      send('POST', '/email-changes/confirm', { json, ...(token && { bearer: token }) })
    const asked: Started['asked'] = async (email = fresh) => {
      const { status, json, text } = await change(email)
      assert.equal(status, 202, text)
      return { request_id: String(json['request_id']), ...(await mailTo(email)) }
    }
    return {
      ...started,
      subject,
      bearer,
      change,
      confirm,
      asked,
      undo: (token) => send('POST', '/email-changes/undo', { json: { token } }),
      async changed(email, from) {
        const { token } = await asked(email)
        assert.equal((await confirm({ token }, bearer)).status, 204)
        return mailTo(from)
      },
      async address() {
        const shown = (await users.readBySubject(subject))?.publicUser
        return [shown?.email, shown?.emailVerified]
      },
    }
  }

  it('a user who is logged in changes the address with a mailed link, but only once', async () => {
    const { asked, confirm, bearer, address, mailTo } = await start()
    const { token, message } = await asked()
    assert.match(message.subject, /Confirm your new address/)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await confirm({ token }, bearer)).status, 204)
    assert.deepEqual(await address(), [fresh, true])
    assert.equal((await confirm({ token }, bearer)).status, 403)

    const told = await mailTo(old)
    assert.match(told.message.subject, /was changed/)
    assert.ok(!`${told.message.text}${told.message.html}`.includes('new.example'))
    const link = `http://localhost:3000/auth/account/undo-email-change?token=${told.token}`
    assert.ok(told.message.text.includes(`\n${link}\n`))
    assert.equal(told.code, '')
  })

  it('a person who knows the password changes the address with a mailed code', async () => {
    const { asked, confirm, address } = await start()
    const { code, request_id } = await asked()
    assert.equal((await confirm({ request_id, code: '0000 0000', password })).status, 403)
    assert.equal((await confirm({ request_id, code, password })).status, 204)
    assert.deepEqual(await address(), [fresh, true])
  })

  it('a stranger who receives the confirmation mail cannot confirm the new address', async () => {
    const { asked, confirm, accessToken, address, bearer, undo } = await start()
    const eve = await accessToken('eve')
    const { token, code, request_id } = await asked()
    const answers = [
      await confirm({ token }),
      await confirm({ token }, eve),
      await confirm({ token, password }, eve),
      await confirm({ token, password: 'wrong' }),
      await confirm({ request_id, code }),
      await confirm({ request_id, code, password: 'wrong' }),
      await confirm({ request_id, code: '0000 0000' }, bearer),
      await confirm({ request_id: 'unknown', code }, bearer),
      await confirm({ token: 'unknown' }, bearer),
      await confirm({ token: request_id }, bearer),
      await undo(token),
    ]
    const shapes = answers.map(({ status, headers, text }) => [status, [...headers], text])
    assert.equal(shapes[0]?.[0], 403)
    for (const shape of shapes) assert.deepEqual(shape, shapes[0])
    assert.deepEqual(await address(), [old, true])
    assert.equal((await confirm({ token, password })).status, 204)
  })

  it('the link to a new address gets 429 until the undo mail can be sent', async () => {
    const { asked, changed, confirm, bearer, address, send, clock } = await start()
    for (let count = 0; count < 3; count++) {
      await changed(fresh, old)
      await changed(old, fresh)
    }
    const { token } = await asked(third)
    assert.equal((await confirm({ token }, bearer)).status, 429)
    const form = { token, password }
    assert.equal((await send('POST', '/account/confirm-email-change', { form })).status, 429)
    assert.deepEqual(await address(), [old, true])

    clock.advance(60 * 60)
    assert.equal((await confirm({ token, password })).status, 204)
    assert.deepEqual(await address(), [third, true])
  })

  it('after ten wrong passwords for a mailed link, the right password gets 429', async () => {
    const { asked, confirm } = await start({ rateLimits: 'on' })
    const { token } = await asked()
    const statuses = new Set()
    for (let count = 0; count < 10; count++)
      statuses.add((await confirm({ token, password: 'wrong' })).status)
    assert.deepEqual([...statuses], [403])
    assert.equal((await confirm({ token, password })).status, 429)
  })

  it('a change to a taken address gets the usual answer, but the mail has no link', async () => {
    const { addUser, change, asked, confirm, mailTo, address, bearer } = await start()
    const eve = await addUser({ username: 'eve', email: 'eve@example.com' })
    const own = await asked()
    const [taken, free] = [await change('EVE@example.com'), await change('bob@example.com')]
    const shape = ({ status, headers, json }: Answer): unknown => [
      status,
      [...headers],
      Object.entries(json).map(([name, value]) => [name, String(value).length]),
    ]
    assert.deepEqual(shape(taken), shape(free))

    const { message, token, code } = await mailTo('eve@example.com')
    assert.match(message.subject, /already in use/)
    assert.doesNotMatch(`${message.text}${message.html}`, /http|ada/)
    assert.deepEqual([token, code], ['', ''])
    const rows = await stage.sql("select subject from mail_proof where purpose = 'email_change'")
    assert.ok(rows.every(({ subject }) => subject !== eve))
    assert.equal((await confirm({ token: own.token }, bearer)).status, 204)
    assert.deepEqual(await address(), [fresh, true])
  })

  it('newer requests make older links invalid, whether or not the address is taken', async () => {
    const results = []
    for (const other of ['eve@example.com', 'free@example.com']) {
      const started = await start()
      const { addUser, change, asked, confirm, bearer, settled, keystile, clock } = started
      await addUser({ username: 'eve', email: 'eve@example.com' })
      await settled()
      const own = await asked()
      clock.advance(1)
      const requests = []
      for (let count = 0; count < 2; count++)
        requests.push(String((await change(other)).json['request_id']))
      await settled()
      for (const request_id of requests)
        for (let count = 0; count < 5; count++)
          await confirm({ request_id, code: '0000 0000' }, bearer)
      const { request_id, code, token } = own
      const byCode = (await confirm({ request_id, code }, bearer)).status
      await change(third)
      await settled()
      results.push([byCode, (await confirm({ token }, bearer)).status])
      const subjects = await stage.sql('select id from "user"')
      for (const { id } of subjects) await keystile.users?.delete(String(id)).catch(() => {})
      await settled()
      await keystile.close()
      await stage.sql('delete from mail_proof')
      await stage.sql('delete from rate')
      await stage.sql('delete from "user"')
    }
    assert.deepEqual(results, [
      [403, 403],
      [403, 403],
    ])
  })

  it('if two users simultaneously confirm one new address, only one user gets it', async () => {
    const { asked, confirm, bearer, tokens, change, mailTo, users, address } = await start()
    const eve = await tokens('eve')
    const mine = await asked()
    assert.equal((await change(fresh, eve.accessToken)).status, 202)
    const theirs = await mailTo(fresh)
    assert.notEqual(mine.token, theirs.token)
    const answers = await Promise.all([
      confirm({ token: mine.token }, bearer),
      confirm({ token: theirs.token }, eve.accessToken),
    ])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['204', '403'])
    const eveHas = (await users.readBySubject(eve.subject))?.publicUser.email === fresh
    assert.deepEqual(await address(), eveHas ? [old, true] : [fresh, true])
  })

  it('of several simultaneous confirmations of a new address, only one succeeds', async () => {
    const { asked, confirm, bearer, mails, settled } = await start()
    const { token, code, request_id } = await asked()
    const answers = await Promise.all([
      confirm({ token }, bearer),
      confirm({ request_id, code }, bearer),
      confirm({ token }, bearer),
    ])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['204', '403', '403'])
    await settled()
    assert.equal(mails.filter(({ subject }) => subject.includes('was changed')).length, 1)
  })

  it('a link for a new address fails once the user’s address or password has changed', async () => {
    const { asked, confirm, bearer, send, changed } = await start()
    const first = await asked()
    const json = { current_password: password, new_password: next }
    assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 204)
    assert.equal((await confirm({ token: first.token }, bearer)).status, 403)
    json.current_password = next
    json.new_password = password
    assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 204)

    const [one, two] = [await asked(), await asked(third)]
    assert.equal((await confirm({ token: two.token }, bearer)).status, 204)
    assert.equal((await confirm({ token: one.token }, bearer)).status, 403)
    await changed(fresh, third)
  })

  it('a link for a new address does not work if an operator has set another address', async () => {
    const { asked, confirm, bearer, users, subject } = await start()
    const { token } = await asked()
    const user = await users.readBySubject(subject)
    assert.ok(user)
    await users.changeEmail(user, { shown: third, key: third }, { actor: 'operator' })
    assert.equal((await confirm({ token }, bearer)).status, 403)
  })

  it('a link for a new address works for 24 hours', async () => {
    const { asked, confirm, clock } = await start()
    const [one, two] = [await asked(), await asked(third)]
    clock.advance(24 * 60 * 60 - 1)
    const { code, request_id } = two
    assert.equal((await confirm({ request_id, code: '0000 0000', password })).status, 403)
    clock.advance(1)
    assert.equal((await confirm({ token: one.token, password })).status, 403)
    assert.equal((await confirm({ request_id, code, password })).status, 403)
    clock.advance(-1)
    assert.equal((await confirm({ token: one.token, password })).status, 204)
  })

  it('a link for a new address does not work for a disabled or deleted user', async () => {
    const { asked, confirm, disable, users, subject, keystile } = await start()
    const { token } = await asked()
    await disable(subject)
    assert.equal((await confirm({ token, password })).status, 403)
    await keystile.users?.enable(subject)
    await keystile.users?.delete(subject)
    assert.equal((await confirm({ token, password })).status, 403)
    assert.equal(await users.readBySubject(subject), undefined)
    assert.deepEqual(await stage.sql('select id from mail_proof where subject is not null'), [])
  })

  it('an undo of an address change ends all sessions, and demands a new password', async () => {
    const warnings: unknown[] = []
    const warn = (...line: unknown[]): void => void warnings.push(line)
    const { changed, undo, address, login, send, bearer, mailTo, subject } = await start({
      logger: { ...silentLogger, warn },
    })
    const { token } = await changed(fresh, old)
    assert.equal((await undo(token)).status, 204)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await send('GET', '/users/me', { bearer })).status, 401)
    warnings.length = 0
    assert.equal((await login()).status, 400)
    assert.equal((await login({ password: '-' })).status, 400)
    assert.deepEqual(warnings, [])
    assert.equal((await undo(token)).status, 403)

    const sent = await mailTo(old)
    assert.match(sent.message.subject, /Set a new password/)
    await send('POST', '/password-resets', { json: { login: old } })
    const reset = await mailTo(old)
    assert.notEqual(reset.token, sent.token)
    const json = { token: reset.token, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json })).status, 204)
    assert.equal((await login({ password: next })).status, 200)
    assert.deepEqual(await address(), [old, true])
    const [entry] = await stage.sql(
      "select actor, subject from audit where event = 'email_change_undone'",
    )
    assert.deepEqual({ ...entry }, { actor: 'nobody', subject })
  })

  /** Changes the address after a login with the factor. Returns the undo link's token. */
  const changedWithFactor = async (
    started: Started,
    ada: Enrolled,
    from = old,
    to = fresh,
  ): Promise<string> => {
    const { accessToken: bearer } = await tokensWithFactor(ada)
    assert.equal((await started.change(to, bearer)).status, 202)
    const { token } = await started.mailTo(to)
    assert.equal((await started.confirm({ token }, bearer)).status, 204)
    return (await started.mailTo(from)).token
  }
  const undone = async (): Promise<number> =>
    (await stage.sql("select id from audit where event = 'factor_undone'")).length
  /** Undoes a change, and sets a new password. */
  const undoAndReset = async (started: Started, token: string): Promise<void> => {
    assert.equal((await started.undo(token)).status, 204)
    const reset = await started.mailTo(old)
    const json = { token: reset.token, new_password: next }
    const { status } = await started.send('POST', '/password-resets/confirm', { json })
    assert.equal(status, 204)
  }

  it('the owner of a factor confirms a new address in a session with the factor', async () => {
    const started = await start({ secondFactor: 'optional' })
    const { change, confirm, mailTo, send, bearer: withoutFactor, clock, address } = started
    const ada = await enrol(started, clock)
    const { accessToken: bearer } = await tokensWithFactor(ada)
    const { json } = await change(fresh, bearer)
    const { token, code } = await mailTo(fresh)
    const page = (typed: string): Promise<Answer> =>
      send('POST', '/account/confirm-email-change', { form: { token, password: typed } })

    const refused = await page(password)
    assert.deepEqual([refused.status, refused.text.includes('<form')], [403, true])
    assert.match(
      refused.text,
      /role="alert">.*Your account has an authenticator app.*code from the mail/s,
    )
    assert.match((await page('wrong')).text, /The password is wrong/)
    assert.doesNotMatch((await confirm({ token, password: 'wrong' })).text, /factor/)
    assert.match((await confirm({ token, password })).json['detail'], /needs a second factor/)
    assert.match(
      (await confirm({ token }, ada.accessToken)).json['detail'],
      /needs a second factor/,
    )
    assert.equal((await confirm({ token }, withoutFactor)).status, 401)
    assert.deepEqual(await address(), [old, true])

    const { request_id } = json
    assert.equal((await confirm({ request_id, code }, bearer)).status, 204)
    assert.deepEqual(await address(), [fresh, true])
  })

  it('a change that waits does not go around a factor that is demanded by now', async () => {
    const roles = { boss: ['users:read'] }
    const started = await start({ secondFactor: 'optional', roles, secondFactorRoles: ['boss'] })
    const { asked, confirm, keystile, subject, address, bearer, login } = started
    const { token } = await asked()
    await keystile.users?.grant(subject, { roles: ['boss'] })
    for (const refused of [await confirm({ token, password }), await confirm({ token }, bearer)]) {
      assert.equal(refused.status, 403)
      assert.match(refused.json['detail'], /second factor/)
    }
    assert.deepEqual(await address(), [old, true])
    assert.equal((await login()).json['email_code'], true)
  })

  it('an undo of an address change keeps the factor that was there before the change', async () => {
    const started = await start({ secondFactor: 'optional' })
    const { login, send, clock } = started
    const ada = await enrol(started, clock)
    // A mail that is being sent during the jump of the clock would wait for a minute.
    await started.settled()
    clock.advance(week)
    const token = await changedWithFactor(started, ada)
    const { accessToken: bearer } = await tokensWithFactor(ada)
    const renewed = await send('POST', '/users/me/factors/recovery-codes', { bearer })
    const [recovery_code] = renewed.json['recovery_codes']

    await undoAndReset(started, token)
    assert.deepEqual((await login({ password: next, recovery_code })).json['methods'], ['otp'])
    assert.equal((await login({ password: next, otp: ada.nextCode() })).status, 200)
    assert.equal(await undone(), 0)
  })

  it('an undo of an address change removes recovery codes from the 7 days before it', async () => {
    const started = await start({ secondFactor: 'optional' })
    const { login, send, clock } = started
    const ada = await enrol(started, clock)
    await started.settled()
    clock.advance(2 * week)
    const { accessToken: stolen } = await tokensWithFactor(ada)
    const path = '/users/me/factors/recovery-codes'
    const [theirs] = (await send('POST', path, { bearer: stolen })).json['recovery_codes']
    await started.settled()
    clock.advance(week - 120)
    const token = await changedWithFactor(started, ada)

    await undoAndReset(started, token)
    const refused = await login({ password: next, recovery_code: theirs })
    assert.deepEqual([refused.status, refused.json['methods']], [403, ['otp']])
    const { json } = await login({ password: next, otp: ada.nextCode() })
    const { accessToken: bearer } = tokensOf(json)
    const factors = (await send('GET', '/users/me/factors', { bearer })).json
    assert.deepEqual([factors['totp'] !== null, factors['recovery_codes']], [true, 0])
    assert.equal(factors['recovery_codes_created_at'], null)
    const [own] = (await send('POST', path, { bearer })).json['recovery_codes']
    assert.equal((await login({ password: next, recovery_code: own })).status, 200)
  })

  it('an undo of an address change keeps older recovery codes', async () => {
    const started = await start({ secondFactor: 'optional' })
    const ada = await enrol(started, started.clock)
    await started.settled()
    started.clock.advance(week)
    await undoAndReset(started, await changedWithFactor(started, ada))
    const [recovery_code = ''] = ada.recoveryCodes
    assert.equal((await started.login({ password: next, recovery_code })).status, 200)
  })

  it('an undo of an address change removes the factors that were added since', async () => {
    const started = await start({ secondFactor: 'optional' })
    const { token } = await started.changed(fresh, old)
    started.clock.advance(60)
    const thief = await enrol(started, started.clock)
    const { accessToken: bearer } = await tokensWithFactor(thief)
    await started.send('POST', '/users/me/factors/totp', { bearer })

    await undoAndReset(started, token)
    assert.equal((await started.login({ password: next })).status, 200)
    const rows = await stage.sql('select subject from authenticator_app')
    assert.deepEqual([...rows, ...(await stage.sql('select subject from recovery_code'))], [])
    assert.equal(await undone(), 1)
  })

  it('an undo removes a factor that a server whose clock is behind has added', async () => {
    const started = await start({ secondFactor: 'optional' })
    const behind = createTestClock(started.clock.now() - 50_000)
    const other = await stage.start({ clock: behind, secondFactor: 'optional' })
    const { token } = await started.changed(fresh, old)
    await enrol(other, behind)
    assert.equal((await started.login()).json['error'], 'insufficient_authorization')

    await undoAndReset(started, token)
    assert.equal((await started.login({ password: next })).status, 200)
  })

  const laterActs: readonly (readonly [
    string,
    (started: Started, thief: Enrolled) => Promise<void>,
  ])[] = [
    ['does nothing more', async () => {}],
    [
      'changes it again and undoes that',
      async (started, thief) => {
        const token = await changedWithFactor(started, thief, fresh, 'more@evil.example')
        assert.equal((await started.undo(token)).status, 204)
      },
    ],
    [
      'changes it to a spelling that counts as the same',
      async (started, thief) => {
        await changedWithFactor(started, thief, fresh, 'é@evil.example')
        await changedWithFactor(started, thief, 'é@evil.example', 'É@evil.example')
      },
    ],
    [
      'is disabled and enabled by an operator',
      async ({ keystile, subject }) => {
        await keystile.users?.disable(subject)
        await keystile.users?.enable(subject)
      },
    ],
  ]
  for (const [act, doMore] of laterActs)
    it(`an undo removes the factor of a thief who changes the address, and ${act}`, async () => {
      const started = await start({ secondFactor: 'optional' })
      const thief = await enrol(started, started.clock)
      started.clock.advance(60)
      const token = await changedWithFactor(started, thief)
      started.clock.advance(60)
      await doMore(started, thief)
      await undoAndReset(started, token)
      assert.equal((await started.login({ password: next })).status, 200)
      assert.equal(await undone(), 1)
    })

  it('an unverified old address gets no undo link, and other users can register it', async () => {
    const { changed, address, register } = await start()
    await stage.sql('update "user" set email_verified_at = null')
    const { message, token } = await changed(fresh, old)
    assert.deepEqual(await address(), [fresh, true])
    assert.match(message.subject, /has another address now/)
    assert.doesNotMatch(`${message.text}${message.html}`, /http|new\.example/)
    assert.equal(token, '')
    assert.deepEqual(await stage.sql('select email from former_email'), [])
    assert.equal((await register({ username: 'bob', email: old })).status, 201)
  })

  it('an undo to an unverified old address gets 403 once the new address is verified', async () => {
    const ways: Readonly<Record<string, (started: Started) => Promise<Answer>>> = {
      async confirmation({ asked, confirm, bearer }) {
        return confirm({ token: (await asked(third)).token }, bearer)
      },
      async verification({ send, bearer, mailTo }) {
        await stage.sql('update "user" set email_verified_at = null')
        await send('POST', '/email-verifications', { bearer })
        const { token } = await mailTo(fresh)
        return send('POST', '/email-verifications/confirm', { bearer, json: { token } })
      },
      async reset({ send, mailTo }) {
        await send('POST', '/password-resets', { json: { login: fresh } })
        const { token } = await mailTo(fresh)
        return send('POST', '/password-resets/confirm', { json: { token, new_password: next } })
      },
    }
    for (const [name, verify] of Object.entries(ways)) {
      const started = await start()
      const { token } = await started.changed(fresh, old)
      // As after a change at once, before addresses were verified.
      await stage.sql('update former_email set email_verified_at = null')
      assert.equal((await verify(started)).status, 204, name)
      assert.equal((await started.undo(token)).status, 403, name)
      await started.keystile.users?.delete(started.subject)
      await started.keystile.close()
      await stage.sql('delete from rate')
      await stage.sql('delete from "user"')
    }
  })

  it('after an undo of an address change, the new mailbox gets a mail without a link', async () => {
    const { changed, undo, mailTo, mails } = await start()
    const { token } = await changed(fresh, old)
    const before = mails.length
    assert.equal((await undo(token)).status, 204)
    const { message, token: none } = await mailTo(fresh)
    assert.match(message.subject, /has another address now/)
    assert.doesNotMatch(`${message.text}${message.html}`, /http|ada@example/)
    assert.equal(none, '')
    const told = mails.slice(before).map(({ to }) => to)
    assert.deepEqual(told.toSorted(), [old, fresh])
  })

  it('after a change back to the old address, an undo only disables the password', async () => {
    const { changed, undo, address, login, settled, mails } = await start()
    const first = await changed(fresh, old)
    await changed(old, fresh)
    const before = mails.length
    assert.equal((await undo(first.token)).status, 204)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await login()).status, 400, 'the password was disabled')
    await settled()
    assert.deepEqual(
      mails.slice(before).map(({ to, subject }) => [to, /password/.test(subject)]),
      [[old, true]],
    )
  })

  it('an undo of the first of two address changes also cancels the second change', async () => {
    const { changed, undo, address } = await start()
    const first = await changed(fresh, old)
    const second = await changed(third, fresh)
    assert.equal((await undo(first.token)).status, 204)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await undo(second.token)).status, 403, 'the link of the later change')
    assert.deepEqual(await address(), [old, true])
  })

  it('if the second of two address changes is undone, the first can still be undone', async () => {
    const { changed, undo, address } = await start()
    const first = await changed(fresh, old)
    const second = await changed(third, fresh)
    assert.equal((await undo(second.token)).status, 204)
    assert.deepEqual(await address(), [fresh, true])
    assert.equal((await undo(first.token)).status, 204)
    assert.deepEqual(await address(), [old, true])
  })

  it('an undo cancels pending requests for another address or a new password', async () => {
    const { changed, asked, undo, confirm, address, send, mailTo } = await start()
    const { token } = await changed(fresh, old)
    const waiting = await asked(third)
    await send('POST', '/password-resets', { json: { login: 'ada' } })
    const reset = await mailTo(fresh)
    assert.equal((await undo(token)).status, 204)
    assert.equal((await confirm({ token: waiting.token, password })).status, 403)
    const json = { token: reset.token, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json })).status, 403)
    assert.deepEqual(await address(), [old, true])
    const proofs = await stage.sql('select purpose from mail_proof where subject is not null')
    assert.deepEqual(
      proofs.map(({ purpose }) => purpose),
      ['password_reset'],
    )
  })

  it('of several simultaneous undos of an address change, only one succeeds', async () => {
    const { changed, undo, mails, settled } = await start()
    const { token } = await changed(fresh, old)
    const answers = await Promise.all([undo(token), undo(token), undo(token)])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['204', '403', '403'])
    await settled()
    assert.equal(mails.filter(({ subject }) => subject.includes('new password')).length, 1)
  })

  it('an undo for a disabled user restores the address, but sends no reset link', async () => {
    const { changed, undo, address, disable, subject, mails, settled } = await start()
    const { token } = await changed(fresh, old)
    await disable(subject)
    assert.equal((await undo(token)).status, 204)
    await settled()
    assert.deepEqual(await address(), [old, true])
    assert.equal(mails.filter(({ subject: text }) => text.includes('new password')).length, 0)
  })

  it('after an address change, no other user can take the old address for seven days', async () => {
    const started = await start()
    const { changed, undo, register, keystile, tokens, change, mailTo, clock, users } = started
    const eve = await tokens('eve')
    const { token } = await changed(fresh, old)
    const bob = { username: 'bob', email: old }
    const late = async (): Promise<number> => (await register(bob)).status
    assert.equal(await late(), 409)
    await assert.rejects(async () => keystile.users?.create({ ...bob, password }), {
      code: 'conflict',
    })
    await assert.rejects(async () => keystile.users?.invite({ email: old }), { code: 'conflict' })
    assert.equal((await change(old, eve.accessToken)).status, 202)
    assert.match((await mailTo(old)).message.subject, /already in use/)
    const eveNow = await users.readBySubject(eve.subject)
    assert.ok(eveNow)
    const by = { actor: 'operator' } as const
    assert.equal(await users.changeEmail(eveNow, { shown: old, key: old }, by), 'taken')
    assert.equal((await users.readBySubject(eve.subject))?.publicUser.email, 'eve@example.com')
    assert.deepEqual(await stage.sql('select id from "user" where username = \'bob\''), [])

    clock.advance(week)
    assert.equal((await undo(token)).status, 403)
    assert.equal(await late(), 201)
  })

  it('after a change back, the mailboxes in between can undo nothing', async () => {
    const { changed, undo, address } = await start()
    const first = await changed(fresh, old)
    const second = await changed(third, fresh)
    const back = await changed(old, third)
    assert.match(back.message.subject, /has another address now/)
    assert.equal(back.token, '')
    assert.deepEqual(await stage.sql('select email from former_email'), [{ email: old }])
    assert.equal((await undo(second.token)).status, 403)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await undo(first.token)).status, 204)
    assert.deepEqual(await address(), [old, true])
  })

  it('after the link to the old address has expired, a change back can be undone', async () => {
    const { changed, undo, address } = await start()
    await changed(fresh, old)
    await stage.sql('update former_email set expires_at = 1')
    const back = await changed(old, fresh)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await undo(back.token)).status, 204)
    assert.deepEqual(await address(), [fresh, true])
  })

  it('if an account is deleted, other users can register its former address', async () => {
    const { changed, undo, keystile, subject, register, settled, mails } = await start()
    const { token } = await changed(fresh, old)
    await keystile.users?.delete(subject)
    await settled()
    // A thief may have changed the address, so its owner must hear of the deletion.
    const told = mails.filter((mail) => mail.subject.includes('was deleted'))
    assert.deepEqual(told.map(({ to }) => to).toSorted(), [old, fresh].toSorted())
    assert.deepEqual(await stage.sql('select email from former_email'), [])
    assert.equal((await undo(token)).status, 403)
    assert.equal((await register({ username: 'bob', email: old })).status, 201)
  })

  it('a deletion after the undo link has expired leaves the reader of the old address alone', async () => {
    const { keystile, clock, changed, mails, subject, settled } = await start()
    await changed(fresh, old)
    clock.advance(week)
    await keystile.users?.invite({ email: old })
    await keystile.users?.delete(subject)
    await settled()
    const told = mails.filter((mail) => mail.subject.includes('deleted')).map(({ to }) => to)
    assert.deepEqual(told, [fresh])
    const open = await keystile.users?.listInvitations()
    assert.deepEqual(
      open?.invitations.map(({ email }) => email),
      [old],
    )
  })

  it('a registration during an address change cannot take the old address', async () => {
    const { asked, confirm, bearer, register } = await start()
    const { token } = await asked()
    const registrations = Array.from({ length: 8 }, (_, n) =>
      register({ username: `bob-${n}`, email: old }),
    )
    const [changed, ...others] = await Promise.all([confirm({ token }, bearer), ...registrations])
    assert.equal(changed?.status, 204)
    assert.deepEqual([...new Set(others.map(({ status }) => status))], [409])
    assert.deepEqual(await stage.sql(`select id from "user" where email_key = '${old}'`), [])
  })

  it('an attacker who causes many mails cannot suppress the mail with the undo link', async () => {
    const { changed, send, settled, mails } = await start()
    for (let count = 0; count < 5; count++)
      await send('POST', '/password-resets', { json: { login: 'ada' } })
    await settled()
    const before = mails.filter(({ to }) => to === old).length
    const { token } = await changed(fresh, old)
    assert.notEqual(token, '')
    assert.equal(mails.filter(({ to }) => to === old).length, before + 1)
  })

  it('each endpoint refuses tokens that were mailed for another endpoint', async () => {
    const { asked, changed, send, bearer, keystile, mailTo, confirm } = await start()
    const undoing = await changed(fresh, old)
    const confirming = await asked(third)
    await keystile.users?.invite({ email: 'bob@example.com' })
    const invited = await mailTo('bob@example.com')
    await send('POST', '/password-resets', { json: { login: 'ada' } })
    const reset = await mailTo(fresh)
    await send('POST', '/email-verifications', { bearer })
    const endpoints: Readonly<Record<string, { readonly own: string; readonly more: object }>> = {
      '/email-changes/confirm': { own: confirming.token, more: { password } },
      '/email-changes/undo': { own: undoing.token, more: {} },
      '/password-resets/confirm': { own: reset.token, more: { new_password: next } },
      '/invitations/accept': { own: invited.token, more: { username: 'bob', password } },
      '/email-verifications/confirm': { own: '', more: { password } },
    }
    const tokens = [confirming.token, undoing.token, reset.token, invited.token]
    assert.equal(new Set(tokens).size, 4)
    for (const [path, { own, more }] of Object.entries(endpoints))
      for (const token of tokens.filter((each) => each !== own)) {
        const { status, text } = await send('POST', path, { json: { token, ...more } })
        assert.equal(status, 403, `${path}: ${text}`)
      }
    assert.equal((await confirm({ token: confirming.token }, bearer)).status, 204)
  })

  it('links to change or restore an address still work after mail scanners open them', async () => {
    const { asked, send, mailTo, address, login } = await start()
    const { token } = await asked()
    const open = async (page: string, used: string): Promise<void> => {
      for (const method of ['GET', 'HEAD', 'GET', 'HEAD'])
        assert.equal((await send(method, `/account/${page}?token=${used}`)).status, 200)
    }
    await open('confirm-email-change', token)
    assert.deepEqual(await address(), [old, true])
    const post = (page: string, form: Readonly<Record<string, string>>): Promise<Answer> =>
      send('POST', `/account/${page}`, { form })
    const wrong = await post('confirm-email-change', { token, password: 'wrong' })
    assert.equal(wrong.status, 403)
    assert.match(wrong.text, /id="password-fault" role="alert">The password is wrong/)
    assert.ok(wrong.text.includes(`name="token" value="${token}"`))
    assert.match((await post('confirm-email-change', { token, password })).text, /is changed/)
    assert.deepEqual(await address(), [fresh, true])

    const undoing = await mailTo(old)
    await open('undo-email-change', undoing.token)
    assert.deepEqual(await address(), [fresh, true])
    const done = await post('undo-email-change', { token: undoing.token })
    assert.match(done.text, /Your old address is back/)
    assert.deepEqual(await address(), [old, true])
    assert.equal((await login()).status, 400)
    assert.equal((await post('undo-email-change', { token: undoing.token })).status, 403)
    for (const [page, used] of [
      ['confirm-email-change', token],
      ['undo-email-change', undoing.token],
    ] as const) {
      const { status, text } = await send('GET', `/account/${page}?token=${used}`)
      assert.equal(status, 403)
      assert.match(text, /This link does not work any more/)
    }
    assert.match((await send('GET', '/account/undo-email-change')).text, /not complete/)
  })

  it('the database contains no token, code or request id of a change of address', async () => {
    const { change, settled, mailTo, confirm, bearer } = await start()
    const { json } = await change(fresh)
    const waiting = JSON.stringify(await stage.sql('select * from mail_proof'))
    assert.ok(!waiting.includes('new.example'))
    await settled()
    const { token, code } = await mailTo(fresh)
    const bound = JSON.stringify(await stage.sql('select * from mail_proof'))
    await confirm({ token }, bearer)
    const undoing = await mailTo(old)
    const former = JSON.stringify(await stage.sql('select * from former_email'))
    assert.ok(former.includes(old))
    for (const secret of [json['request_id'], token, code.replace(' ', ''), undoing.token])
      assert.ok(!`${waiting}${bound}${former}`.includes(String(secret)))
  })

  it('a user can request ten changes of the address, and then gets 429', async () => {
    const { change } = await start({ rateLimits: 'on' })
    const statuses = []
    for (let count = 0; count < 11; count++) statuses.push((await change(fresh)).status)
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 202), 429])
  })

  it('an IP address with too many refused links gets 429, other IP addresses do not', async () => {
    const { send } = await start({ rateLimits: 'on', trustedProxies: [] })
    const guess = async (page: 'confirm' | 'undo', remoteAddress: string): Promise<number> =>
      (await send('POST', `/email-changes/${page}`, { json: { token: 'guess' }, remoteAddress }))
        .status
    for (let count = 0; count < 50; count++)
      for (const page of ['confirm', 'undo'] as const)
        assert.equal(await guess(page, '192.0.2.7'), 403)
    for (const page of ['confirm', 'undo'] as const) {
      assert.equal(await guess(page, '192.0.2.7'), 429)
      assert.equal(await guess(page, '192.0.2.8'), 403)
    }
  })

  it('a change of address with a wrong current password gets 403 and sends no mail', async () => {
    const { send, bearer, settled, mails } = await start()
    await settled()
    const before = mails.length
    const json = { current_password: 'wrong', new_email: fresh }
    assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 403)
    assert.deepEqual(await stage.sql('select id from mail_proof where resolved_at is null'), [])
    await settled()
    assert.equal(mails.length, before)
  })

  it('housekeeping erases old addresses when their undo links have expired', async () => {
    const first = await start()
    await first.changed(fresh, old)
    await first.keystile.close()
    first.clock.advance(week + 1)
    await stage.start({ clock: first.clock })
    await until(async () => (await stage.sql('select email from former_email')).length === 0)
  })
})

/** Three accounts of a stranger, whose addresses are tagged addresses of the victim. */
const strangers = [1, 2, 3].map((n) => ({
  username: `eve-${n}`,
  tagged: `ada+${n}@example.com`,
  own: `eve-${n}@example.com`,
}))

describeOnOne('PostgreSQL', 'mails about a new address', (stage) => {
  for (const emailVerification of ['optional', 'off'])
    it(`all users together have limits, with emailVerification ${emailVerification}`, async () => {
      const options = { emailVerification, rateLimits: 'on', trustedProxies: [] }
      const { tokens, send, clock } = await startWithMailbox(stage, options)
      const bearers: string[] = []
      for (const username of ['eve', 'bob', 'carol'])
        bearers.push((await tokens(username)).accessToken)
      let count = 0
      /** The status of a change by a user with the least number of changes. */
      const change = async (remoteAddress: string): Promise<string> => {
        const bearer = bearers[count++ % bearers.length] ?? ''
        const json = { current_password: password, new_email: `stranger-${count}@example.com` }
        const answer = await send('POST', '/users/me/email', { bearer, json, remoteAddress })
        return answer.status === 429 ? 'refused' : 'mailed'
      }
      const key = createHash('sha256').update('email-server\n').digest('base64url')
      await stage.sql(`insert into rate values ('${key}', ${clock.now() + 579 * 2_000})`)

      const statuses = []
      for (let changes = 0; changes < 21; changes++) statuses.push(await change('192.0.2.7'))
      assert.deepEqual(statuses, [...Array.from({ length: 20 }, () => 'mailed'), 'refused'])
      assert.deepEqual(
        [await change('192.0.2.8'), await change('192.0.2.8')],
        ['mailed', 'refused'],
        'the limit of the whole server',
      )
    })

  it('a change to a taken address does not use up the limit of the whole server', async () => {
    const options = { emailVerification: 'off', rateLimits: 'on' } as const
    const { tokens, send, clock } = await startWithMailbox(stage, options)
    const { accessToken: bearer } = await tokens('eve')
    await tokens('bob')
    const key = createHash('sha256').update('email-server\n').digest('base64url')
    await stage.sql(`insert into rate values ('${key}', ${clock.now() + 599 * 2_000})`) // one is left
    const change = async (new_email: string): Promise<number> => {
      const json = { current_password: password, new_email }
      return (await send('POST', '/users/me/email', { bearer, json })).status
    }
    assert.equal(await change('bob@example.com'), 409)
    assert.equal(await change('eve-2@example.com'), 204)
    assert.equal(await change('eve-3@example.com'), 429)
  })
})

describeOnOne('PostgreSQL', 'accounts of a stranger with tagged addresses of a victim', (stage) => {
  /** Adds the victim, and uses up the mails that every stranger can request. */
  async function startVictim(options: object): Promise<
    WithMailbox & {
      /** Requests a new password on the victim's known device, and returns the number of mails. */
      resets(): Promise<number>
    }
  > {
    const started = await startWithMailbox(stage, options)
    const { addUser, login, send, settled, mails } = started
    await addUser()
    await verifyAddresses(stage, started)
    const { device_secret } = (await login()).json
    const ask = (fields: object): Promise<Answer> =>
      send('POST', '/password-resets', { json: { login: 'ada', ...fields } })
    for (let count = 0; count < 4; count++) await ask({})
    await settled()
    return {
      ...started,
      async resets() {
        const before = mails.filter(({ to }) => to === old).length
        for (let count = 0; count < 3; count++) await ask({ device_secret })
        await settled()
        return mails.filter(({ to }) => to === old).length - before
      },
    }
  }

  it('confirmed changes away from them leave the victim’s known device its mails', async () => {
    const started = await startVictim({ emailVerification: 'optional' })
    const { addUser, login, send, mailTo, mails, resets } = started
    for (const { username, tagged, own } of strangers) {
      await addUser({ username, email: tagged })
      const bearer = String((await login({ username })).json['access_token'])
      const json = { current_password: password, new_email: own }
      await send('POST', '/users/me/email', { bearer, json })
      const { token } = await mailTo(own)
      const { status } = await send('POST', '/email-changes/confirm', { bearer, json: { token } })
      assert.equal(status, 204)
      await mailTo(tagged)
    }
    const notices = mails.filter(({ text }) => !text.includes('token='))
    assert.equal(notices.filter(({ to }) => to.startsWith('ada+')).length, 3)
    assert.equal(await resets(), 3)
  })

  it('undone changes to them leave the victim’s known device its mails', async () => {
    const { addUser, login, send, mailTo, resets } = await startVictim({})
    for (const { username, tagged, own } of strangers) {
      await addUser({ username, email: own })
      const bearer = String((await login({ username })).json['access_token'])
      const json = { current_password: password, new_email: tagged }
      assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 204)
      const { token } = await mailTo(own)
      assert.equal((await send('POST', '/email-changes/undo', { json: { token } })).status, 204)
      assert.match((await mailTo(tagged)).message.subject, /has another address now/)
    }
    assert.equal(await resets(), 3)
  })
})

describeOnOne('PostgreSQL', 'a new address that is not verified', (stage) => {
  it('a change of an unverified address needs no confirmation, but can be undone', async () => {
    const { addUser, accessToken, send, mailTo, users, login } = await startWithMailbox(stage)
    const subject = await addUser()
    const bearer = await accessToken()
    const change = (new_email: string): Promise<Answer> =>
      send('POST', '/users/me/email', { bearer, json: { current_password: password, new_email } })
    const address = async (): Promise<readonly unknown[]> => {
      const shown = (await users.readBySubject(subject))?.publicUser
      return [shown?.email, shown?.emailVerified]
    }
    assert.equal((await change(fresh)).status, 204)
    assert.deepEqual(await address(), [fresh, false])
    const { token } = await mailTo(old)
    assert.equal((await change(third)).status, 204)
    const undone = await send('POST', '/email-changes/undo', { json: { token } })
    assert.equal(undone.status, 204)
    assert.deepEqual(await address(), [old, false])
    assert.equal((await login()).status, 400)
    assert.deepEqual(await stage.sql('select email from former_email'), [])
  })

  it('an account with a factor gets an address only if the new mailbox confirms it', async () => {
    const started = await startWithMailbox(stage, { secondFactor: 'optional' })
    const { keystile, users, send, clock, login, mailTo } = started
    await keystile.users?.create({ username: 'ada', password })
    const ada = await enrol(started, clock)
    const { accessToken: bearer } = await tokensWithFactor(ada)
    const change = { bearer, json: { current_password: password, new_email: fresh } }
    assert.equal((await send('POST', '/users/me/email', change)).status, 202)
    const { token } = await mailTo(fresh)
    assert.equal((await users.readBySubject(ada.subject))?.publicUser.email, null)
    const confirmed = { bearer, json: { token } }
    assert.equal((await send('POST', '/email-changes/confirm', confirmed)).status, 204)

    await send('POST', '/password-resets', { json: { login: fresh } })
    const json = { token: (await mailTo(fresh)).token, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json })).status, 204)
    assert.deepEqual((await login({ password: next })).json['methods'], ['otp', 'recovery_code'])
  })

  it('a verified address stays verified if only its letter case changes', async () => {
    const { addUser, accessToken, send, users, settled, mails } = await startWithMailbox(stage)
    const subject = await addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const bearer = await accessToken()
    await settled()
    const before = mails.length
    for (const new_email of [old, 'ADA@example.com']) {
      const json = { current_password: password, new_email }
      assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 204)
      const shown = (await users.readBySubject(subject))?.publicUser
      assert.deepEqual([shown?.email, shown?.emailVerified], [new_email, true])
    }
    await settled()
    assert.equal(mails.length, before)
    assert.deepEqual(await stage.sql('select email from former_email'), [])
  })

  it('an address stays verified only if just the case of ASCII letters changes', async () => {
    const { addUser, accessToken, send, users, mailTo } = await startWithMailbox(stage)
    const subject = await addUser()
    const bearer = await accessToken()
    const change = async (new_email: string): Promise<number> => {
      const json = { current_password: password, new_email }
      return (await send('POST', '/users/me/email', { bearer, json })).status
    }
    for (const [from, to] of [
      ['stra\u00dfe@example.com', 'stra\u1e9ee@example.com'],
      ['i\u0307@example.com', '\u0130@example.com'],
    ] as const) {
      await stage.sql('update "user" set email_verified_at = null')
      assert.equal(await change(from), 204)
      await stage.sql('update "user" set email_verified_at = 1')
      assert.equal(await change(to), 202, 'the new mailbox must confirm')
      const { token } = await mailTo(to)
      const confirmed = { json: { token }, bearer }
      const answer_ = await send('POST', '/email-changes/confirm', confirmed)
      assert.equal(answer_.status, 204, answer_.text)
      const shown = (await users.readBySubject(subject))?.publicUser
      assert.deepEqual([shown?.email, shown?.emailVerified], [to, true])
    }
  })

  it('a link to one mailbox verifies no other mailbox with the same lower case', async () => {
    const { register, accessToken, send, users, mailTo } = await startWithMailbox(stage)
    const [from, to] = ['stra\u00dfe@example.com', 'stra\u1e9ee@example.com']
    const { json: user } = await register({ email: from })
    const bearer = await accessToken()
    await send('POST', '/password-resets', { json: { login: 'ada' } })
    const { token } = await mailTo(from)
    const change = { current_password: password, new_email: to }
    assert.equal((await send('POST', '/users/me/email', { bearer, json: change })).status, 204)

    const json = { token, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json })).status, 403)
    const shown = (await users.readBySubject(String(user['id'])))?.publicUser
    assert.deepEqual([shown?.email, shown?.emailVerified], [to, false])
  })

  it('after a password reset by mail to the new address, the undo link gets 403', async () => {
    const { tokens, send, mailTo } = await startWithMailbox(stage)
    const { accessToken: bearer } = await tokens('eve')
    const json = { current_password: password, new_email: 'victim@example.com' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 204)
    const { token } = await mailTo('eve@example.com')
    await send('POST', '/password-resets', { json: { login: 'victim@example.com' } })
    const reset = await mailTo('victim@example.com')
    const wanted = { token: reset.token, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json: wanted })).status, 204)
    assert.equal((await send('POST', '/email-changes/undo', { json: { token } })).status, 403)
  })

  it('once a user’s address is verified, a new address must be confirmed by mail', async () => {
    const { tokens, send, mailTo, users, register } = await startWithMailbox(stage)
    const { accessToken: first, subject } = await tokens('eve')
    await send('POST', '/password-resets', { json: { login: 'eve@example.com' } })
    const { token: resetting } = await mailTo('eve@example.com')
    const reset = { token: resetting, new_password: next }
    assert.equal((await send('POST', '/password-resets/confirm', { json: reset })).status, 204)
    assert.equal((await send('GET', '/users/me', { bearer: first })).status, 401)

    const form = { grant_type: 'password', username: 'eve', password: next }
    const bearer = String((await send('POST', '/token', { form })).json['access_token'])
    const change = (new_email: string): Promise<Answer> =>
      send('POST', '/users/me/email', { bearer, json: { current_password: next, new_email } })
    const address = async (): Promise<readonly unknown[]> => {
      const shown = (await users.readBySubject(subject))?.publicUser
      return [shown?.email, shown?.emailVerified]
    }
    assert.equal((await change('victim@example.com')).status, 202)
    const { token } = await mailTo('victim@example.com')
    assert.deepEqual(await address(), ['eve@example.com', true])
    assert.deepEqual(await stage.sql('select email from former_email'), [])
    assert.equal((await register({ username: 'vic', email: 'victim@example.com' })).status, 201)
    const confirm = (wanted: string): Promise<Answer> =>
      send('POST', '/email-changes/confirm', { bearer, json: { token: wanted } })
    assert.equal((await confirm(token)).status, 403)

    assert.equal((await change(third)).status, 202)
    assert.equal((await confirm((await mailTo(third)).token)).status, 204)
    assert.deepEqual(await address(), [third, true])
    const undoing = await mailTo('eve@example.com')
    const undone = await send('POST', '/email-changes/undo', { json: { token: undoing.token } })
    assert.equal(undone.status, 204)
    assert.deepEqual(await address(), ['eve@example.com', true])
  })

  it('a change of an unverified address fails if the address is verified meanwhile', async () => {
    const { addUser, users } = await startWithMailbox(stage)
    const stale = await users.readBySubject(await addUser())
    assert.ok(stale)
    await stage.sql('update "user" set email_verified_at = 1')
    const part = { id: 'x', template: 'x', sealed: null, lifetimeMilliseconds: 1 }
    const undo = { tokenHash: 'x', expiresAt: 1, mail: part, notice: undefined }
    const by = { actor: 'nobody' } as const
    const outcome = await users.changeEmail(stale, { shown: fresh, key: fresh }, by, undo)
    assert.equal(outcome, 'outdated')
  })

  it('other users can take a user’s old address if the address was never verified', async () => {
    const { tokens, send, mailTo, register, users } = await startWithMailbox(stage)
    const { accessToken: bearer, subject } = await tokens('eve')
    const change = async (new_email: string): Promise<number> => {
      const json = { current_password: password, new_email }
      return (await send('POST', '/users/me/email', { bearer, json })).status
    }
    const victims = ['v1@example.com', 'v2@example.com', 'v3@example.com']
    for (const victim of [...victims, fresh]) assert.equal(await change(victim), 204)
    for (const [index, email] of victims.entries())
      assert.equal((await register({ username: `victim-${index}`, email })).status, 201)

    // The link to an address that another user has by now, or had verified, restores nothing.
    const undo = async (token: string): Promise<number> =>
      (await send('POST', '/email-changes/undo', { json: { token } })).status
    assert.equal(await undo((await mailTo('v1@example.com')).token), 403)
    await stage.sql(`insert into former_email
      (token_hash, subject, email, email_key, email_verified_at, created_at, expires_at)
      select 'other', 'other', email, email_key, 1, created_at, expires_at
      from former_email where email_key = 'eve@example.com'`)
    assert.equal(await undo((await mailTo('eve@example.com')).token), 403)
    assert.equal((await users.readBySubject(subject))?.publicUser.email, fresh)
  })

  it('a change whose undo mail cannot be sent gets 429, and changes nothing', async () => {
    const { addUser, accessToken, send, users, settled, mails } = await startWithMailbox(stage)
    const subject = await addUser()
    const bearer = await accessToken()
    const change = (new_email: string): Promise<Answer> =>
      send('POST', '/users/me/email', { bearer, json: { current_password: password, new_email } })
    for (const email of [fresh, old, third, old, fresh, old])
      assert.equal((await change(email)).status, 204)

    const { status, headers } = await change(fresh)
    assert.deepEqual([status, headers.get('retry-after')], [429, '3600'])
    assert.equal((await users.readBySubject(subject))?.publicUser.email, old)
    const tell = async (): Promise<readonly unknown[]> => {
      await settled()
      return [
        mails.filter(({ to }) => to === old).length,
        (await stage.sql('select email from former_email')).length,
        (await stage.sql("select id from audit where event = 'email_changed'")).length,
      ]
    }
    assert.deepEqual(await tell(), [3, 6, 6])

    // The mails of an address that was never verified do not prevent those of a verified one.
    await stage.sql('update "user" set email_verified_at = 1')
    assert.equal((await change(third)).status, 202)
  })

  it('without `mail`, a change of address needs no confirmation and cannot be undone', async () => {
    const { accessToken, send } = await stage.start()
    const bearer = await accessToken()
    const json = { current_password: password, new_email: fresh }
    assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 204)
    assert.deepEqual(await stage.sql('select email from former_email'), [])
    for (const path of ['/email-changes/undo', '/email-changes/confirm', '/invitations/accept'])
      assert.equal((await send('POST', path, { json: {} })).status, 404, path)
  })
})
