// Invitations: a mail with which a person creates an account.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import {
  describeOnOne,
  password,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import {
  startWithMailbox,
  type ReadMail,
  type WithMailbox,
} from '../../packages/server/test-support/mailbox.ts'

const email = 'Bob@example.com'
const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'] }

interface Started extends WithMailbox {
  /** Invites bob, and returns the mail with the id of its request. */
  invited(rights?: object): Promise<ReadMail & { readonly request_id: string }>
  accept(fields: object): Promise<Answer>
}

describeOnOne('PostgreSQL', 'an invitation', (stage) => {
  const start = async (options: object = {}): Promise<Started> => {
    const all = { scopes, roles, registration: 'closed', ...options }
    const started = await startWithMailbox(stage, all)
    return {
      ...started,
      async invited(rights = {}) {
        const sent = await started.keystile.users?.invite({ email, ...rights })
        assert.ok(sent)
        const days = (sent.expiresAt.getTime() - started.clock.now()) / (24 * 60 * 60 * 1000)
        assert.equal(days, 7)
        return { request_id: sent.requestId, ...(await started.mailTo(email)) }
      },
      accept: (fields) =>
        started.send('POST', '/invitations/accept', {
          json: { username: 'bob', password, ...fields },
        }),
    }
  }

  it('an invitation’s link creates one verified account with the given rights', async () => {
    const { invited, accept, login, users, register } = await start()
    const { token, message } = await invited({ scopes: ['items:write'], roles: ['reader'] })
    assert.match(message.subject, /invitation/)
    const link = `http://localhost:3000/auth/account/accept-invitation?token=${token}`
    assert.ok(message.text.includes(`\n${link}\n`))
    assert.equal((await register()).status, 403, 'registration is closed')

    const { status, json, headers } = await accept({ token })
    assert.equal(status, 201)
    const { id, created_at, ...shown } = json
    assert.deepEqual(shown, { username: 'bob', email, email_verified: true })
    assert.equal(headers.get('location'), `http://localhost:3000/auth/users/${id}`)
    assert.ok(created_at)
    const user = await users.readBySubject(String(id))
    assert.deepEqual([user?.scopes, user?.roles], [['items:write'], ['reader']])
    assert.equal((await login({ username: 'bob' })).json['scope'], 'items:read items:write')
    assert.equal((await accept({ token, username: 'carol' })).status, 403)

    const entries = await stage.sql(
      "select event, actor, subject, detail from audit where event like 'user%' order by event desc",
    )
    const detail = '{"given":["role:reader","items:write"]}'
    assert.deepEqual(
      entries.map((entry) => ({ ...entry })),
      [
        { event: 'user_invited', actor: 'app', subject: id, detail },
        { event: 'user_created', actor: 'nobody', subject: id, detail },
      ],
    )
  })

  it('the code of an invitation, sent with its `request_id`, creates one account', async () => {
    const { invited, accept } = await start()
    const { code, request_id } = await invited()
    const [entry] = await stage.sql("select detail from audit where event = 'user_invited'")
    assert.equal(entry?.['detail'], null, 'it gives no rights')
    assert.equal((await accept({ request_id, code: '0000 0000' })).status, 403)
    assert.equal((await accept({ request_id, code })).status, 201)
    assert.equal((await accept({ request_id, code, username: 'carol' })).status, 403)
  })

  it('an invited user does not get rights that are no longer declared', async () => {
    const first = await start()
    const { token } = await first.invited({ scopes: ['items:write'], roles: ['reader', 'admin'] })
    await first.keystile.close()
    const { accept, users } = await start({ scopes: { 'items:read': 'Read' }, roles: {} })
    const { json } = await accept({ token })
    const user = await users.readBySubject(String(json['id']))
    assert.deepEqual([user?.scopes, user?.roles], [[], ['admin']])
  })

  it('users.invite refuses undeclared rights, and an address that has an account', async () => {
    const { keystile, addUser } = await start({ registration: 'open' })
    await addUser()
    const invite = async (fields: object): Promise<unknown> =>
      keystile.users?.invite({ email, ...fields }).catch((error: unknown) => error)
    for (const [fields, code] of [
      [{ scopes: ['unknown'] }, 'unprocessable_content'],
      [{ roles: ['unknown'] }, 'unprocessable_content'],
      [{ email: 'no address' }, 'unprocessable_content'],
      [{ email: 'ADA@example.com' }, 'conflict'],
    ] as const)
      assert.equal((((await invite(fields)) ?? {}) as { code?: string }).code, code)
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
    assert.deepEqual(await stage.sql('select id from mail'), [])
  })

  it('after a refused name, password or profile, an invitation can still be accepted', async () => {
    const { invited, accept, keystile } = await start()
    await keystile.users?.create({ username: 'ada', password })
    const { token } = await invited()
    assert.equal((await accept({ token, username: 'ADA' })).status, 409)
    assert.equal((await accept({ token, username: '!' })).status, 422)
    assert.equal((await accept({ token, password: 'short' })).status, 422)
    assert.equal((await accept({ token, password: 'bob-bob-bob-bob-bob' })).status, 422)
    const ofName = { username: 'countess', password: 'my countess is asleep' }
    const named = await accept({ token, ...ofName })
    assert.equal(named.status, 422)
    assert.match(named.text, /"loc":\["body","password"\]/)
    const ofAddress = { username: 'carol', password: 'bob has engines' }
    assert.equal((await accept({ token, ...ofAddress })).status, 422)
    assert.equal((await accept({ token, website: 'x' })).status, 422)
    assert.equal((await accept({ token })).status, 201)
  })

  it('if several requests accept an invitation at the same time, only one succeeds', async () => {
    const { invited, accept } = await start()
    const { token, code, request_id } = await invited()
    const answers = await Promise.all([
      accept({ token }),
      accept({ token, username: 'bob-2' }),
      accept({ request_id, code, username: 'bob-3' }),
    ])
    assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['201', '403', '403'])
    assert.equal((await stage.sql('select id from "user"')).length, 1)
  })

  it('an invitation fails if it is expired or replaced, or if the address has a user', async () => {
    const { invited, accept, keystile, clock } = await start()
    const first = await invited()
    const second = await invited()
    assert.equal((await accept({ token: first.token })).status, 403, 'replaced')
    const address = { email, emailVerified: true }
    const bob = await keystile.users?.create({ username: 'bobby', ...address, password })
    assert.equal((await accept({ token: second.token })).status, 409)
    await keystile.users?.delete(String(bob?.id))
    assert.equal((await accept({ token: second.token })).status, 403, 'of a deleted user')

    clock.advance(60 * 60)
    const third = await invited()
    clock.advance(7 * 24 * 60 * 60 - 1)
    const { status } = await accept({ token: third.token, username: '!' })
    assert.equal(status, 422)
    clock.advance(1)
    assert.equal((await accept({ token: third.token })).status, 403, 'expired')
  })

  it('an invited person gets the address from an account that never verified it', async () => {
    const { invited, accept, keystile, users } = await start()
    const { token } = await invited()
    const eve = await keystile.users?.create({ username: 'eve', email, password })
    const emailOfEve = async (): Promise<unknown> =>
      (await users.readBySubject(String(eve?.id)))?.publicUser.email
    const changes = (): Promise<readonly unknown[]> =>
      stage.sql(`select id from audit where event = 'email_changed' and subject = '${eve?.id}'`)

    const { status, json } = await accept({ token, username: 'EVE' })
    assert.deepEqual([status, json['errors'][0].loc], [409, ['body', 'username']])
    assert.deepEqual([await emailOfEve(), (await changes()).length], [email, 0])

    const accepted = await accept({ token })
    assert.deepEqual([accepted.status, accepted.json['email_verified']], [201, true])
    assert.deepEqual([await emailOfEve(), (await changes()).length], [null, 1])
  })

  it('an address that a mail program may run or decode is refused wherever it enters', async () => {
    const started = await startWithMailbox(stage)
    const { keystile, register, send, accessToken } = started
    const bearer = await accessToken()
    for (const local of ['=?utf-8?q?a=40b?=', '-oQ/tmp', '|/bin/sh']) {
      const bad = `${local}@example.com`
      const json = { current_password: password, new_email: bad }
      const answers = [
        await register({ username: 'bob', email: bad }),
        await send('POST', '/users/me/email', { bearer, json }),
      ]
      for (const { status, json: problem, text } of answers) {
        assert.equal(status, 422, text)
        assert.match(problem['errors'][0].msg, /should not begin with -, \| or \/, or contain =\?$/)
      }
      const refused = { status: 422 }
      await assert.rejects(Promise.resolve(keystile.users?.invite({ email: bad })), refused)
      const created = keystile.users?.create({ username: 'bob', email: bad, password })
      await assert.rejects(Promise.resolve(created), refused)
    }
  })

  it('deleting a user also deletes invitations to the user’s former address', async () => {
    const { invited, accept, keystile, users } = await start({ emailVerification: 'optional' })
    const { token } = await invited({ roles: ['reader'] })
    const fields = { username: 'bobby', email, password, emailVerified: true }
    const bob = await keystile.users?.create(fields)
    const user = bob && (await users.readBySubject(bob.id))
    assert.ok(bob && user)
    // The user has moved to another address, and may still undo this.
    const fresh = { shown: 'bob@new.example', key: 'bob@new.example' }
    await stage.sql(`insert into former_email
      (token_hash, subject, email, email_key, email_verified_at, created_at, expires_at)
      select 'x', id, email, email_key, 1, 1, ${Number.MAX_SAFE_INTEGER} from "user"`)
    await users.changeEmail(user, fresh, { actor: 'operator' })
    await keystile.users?.delete(bob.id)
    assert.equal((await accept({ token })).status, 403)
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
  })

  it('a stranger with the unverified address of an invited person does not take the invitation away', async () => {
    const { invited, accept, keystile } = await start()
    const { token } = await invited()
    const stranger = await keystile.users?.create({ username: 'mallory', email, password })
    await keystile.users?.delete(String(stranger?.id))
    assert.equal((await accept({ token })).status, 201)
  })

  it('all invalid links and codes of invitations get the same answer', async () => {
    const { invited, accept } = await start()
    const used = await invited()
    assert.equal((await accept({ token: used.token })).status, 201)
    const answers = [
      await accept({ token: used.token, username: 'bob' }),
      await accept({ token: used.token, username: 'carol', password: 'short' }),
      await accept({ token: 'unknown' }),
      await accept({ request_id: used.request_id, code: used.code }),
      await accept({ request_id: 'unknown', code: '1234 5678' }),
    ]
    const shapes = answers.map(({ status, headers, text }) => [status, [...headers], text])
    assert.equal(shapes[0]?.[0], 403)
    for (const shape of shapes) assert.deepEqual(shape, shapes[0])
  })

  it('users.invite rejects the fourth invitation to one mailbox within an hour', async () => {
    const { invited, keystile, accept, mails } = await start()
    await invited()
    await invited()
    const { token } = await invited()
    await assert.rejects(async () => keystile.users?.invite({ email }), {
      code: 'too_many_requests',
      retryAfterSeconds: 3_600,
    })
    assert.equal(mails.length, 3)
    assert.equal((await accept({ token })).status, 201, 'the last invitation stays valid')
  })

  it('after a flood of registrations with the address of a person, an invitation arrives', async () => {
    const { register, invited, accept, settled, mails } = await start({
      registration: 'open',
      emailVerification: 'required',
    })
    for (let count = 0; count < 4; count++) await register({ username: `eve${count}`, email })
    await settled()
    assert.equal(mails.length, 3)
    const { token } = await invited()
    assert.equal((await accept({ token })).status, 201)
  })

  it('the link of an invitation still works after mail scanners have opened it', async () => {
    const { invited, send, login } = await start()
    const { token } = await invited()
    for (const method of ['GET', 'HEAD', 'GET'])
      assert.equal((await send(method, `/account/accept-invitation?token=${token}`)).status, 200)
    const post = (form: Readonly<Record<string, string>>): Promise<Answer> =>
      send('POST', '/account/accept-invitation', { form: { token, ...form } })
    const short = await post({ username: '"><b>', password: 'short' })
    assert.equal(short.status, 422)
    assert.match(short.text, /id="username-fault" role="alert"/)
    assert.doesNotMatch(short.text, /<b>|value="short"/)
    assert.equal((await post({ username: 'bob', password: 'short' })).status, 422)
    assert.match((await post({ username: 'bob', password })).text, /Your account is ready/)
    assert.equal((await login({ username: 'bob' })).status, 200)
    assert.equal((await post({ username: 'bob', password })).status, 403)
    const used = await send('GET', `/account/accept-invitation?token=${token}`)
    assert.equal(used.status, 403)
    assert.match(used.text, /This link does not work any more/)
  })

  it('the page for an invitation has inputs for the required fields of the profile', async () => {
    const profile = z.object({
      'first name': z.string().min(2).meta({ title: 'Your "first" name' }),
      age: z.int(),
      site: z.url(),
      plan: z.enum(['free', '<paid>']).nullable(),
      terms: z.literal(true),
      news: z.boolean(),
      nickname: z.string().nullable(),
      city: z.string().optional(),
      lists: z.array(z.string()).default([]),
    })
    const { invited, send, users } = await start({ profile })
    const { token } = await invited()
    const opened = await send('GET', `/account/accept-invitation?token=${token}`)
    assert.deepEqual(
      Array.from(opened.text.matchAll(/<(?:input|select) id="([\w-]+)"/g), ([, id]) => id),
      ['username', 'password', 'first-name', 'age', 'site', 'plan', 'terms', 'news', 'nickname'],
    )
    assert.match(opened.text, /<label for="first-name">Your &#34;first&#34; name<\/label>/)
    assert.match(opened.text, /<option value="&#34;&#60;paid&#62;&#34;">&#60;paid&#62;<\/option>/)

    const chosen = {
      'first name': 'Ada',
      age: '36',
      site: 'https://a.example',
      plan: '"<paid>"',
      terms: 'true',
      news: 'false',
      nickname: 'a',
    }
    const post = (form: Readonly<Record<string, string>>): Promise<Answer> =>
      send('POST', '/account/accept-invitation', {
        form: { token, username: 'bob', password, ...chosen, ...form },
      })
    for (const [name, value] of [
      ['age', 'many'],
      ['age', '1.5'],
      ['first name', 'A'],
      ['plan', 'other'],
      ['terms', 'false'],
      ['news', ''],
    ] as const) {
      const { status, text } = await post({ [name]: value })
      assert.equal(status, 422, name)
      const id = name.replace(' ', '-')
      assert.ok(text.includes(`<p class="fault" id="${id}-fault" role="alert">`), name)
      if (name !== 'plan') assert.match(text, /<option value="&#34;&#60;paid&#62;&#34;" selected>/)
    }
    assert.equal((await post({ city: 'Paris', role: 'admin' })).status, 200)
    const bob = (await users.listAfter('', 50)).find(({ publicUser }) => publicUser.email === email)
    assert.deepEqual(bob?.profile, {
      'first name': 'Ada',
      age: 36,
      site: 'https://a.example',
      plan: '<paid>',
      terms: true,
      news: false,
      nickname: 'a',
      lists: [],
    })
  })

  it('the pages for invitations and address changes exist in four languages', async () => {
    const { send, invited } = await start()
    const { token } = await invited()
    for (const page of ['accept-invitation', 'confirm-email-change', 'undo-email-change']) {
      const headings = new Set<string | undefined>()
      for (const language of ['en', 'de', 'fr', 'es']) {
        const headers = { 'accept-language': language }
        const { text } = await send('GET', `/account/${page}?token=${token}`, { headers })
        assert.ok(text.includes(`<html lang="${language}">`))
        headings.add(/<h1>([^<]*)<\/h1>/.exec(text)?.[1])
        for (const [, id = ''] of text.matchAll(/<input id="(\w+)"/g))
          assert.ok(text.includes(`<label for="${id}">`), id)
      }
      assert.equal(headings.size, 4, page)
    }
  })

  it('the database contains no token, code or rights of an invitation', async () => {
    const { invited } = await start()
    const { token, code, request_id } = await invited({ scopes: ['items:write'] })
    const stored = JSON.stringify(await stage.sql('select * from mail_proof'))
    for (const secret of [token, code.replace(' ', ''), request_id, 'items:write'])
      assert.ok(!stored.includes(secret), secret)
  })

  it('an IP address with too many refused invitation links gets 429', async () => {
    const { send, clock } = await start({ rateLimits: 'on', trustedProxies: [] })
    const guess = async (remoteAddress: string): Promise<number> => {
      const json = { token: 'guess', username: 'bob', password }
      return (await send('POST', '/invitations/accept', { json, remoteAddress })).status
    }
    for (let count = 0; count < 100; count++) assert.equal(await guess('192.0.2.7'), 403)
    assert.equal(await guess('192.0.2.7'), 429)
    assert.equal(await guess('192.0.2.8'), 403)
    clock.advance(29)
    assert.equal(await guess('192.0.2.7'), 429)
    clock.advance(1)
    assert.equal(await guess('192.0.2.7'), 403)
    assert.equal(await guess('192.0.2.7'), 429)
  })

  it('users.listInvitations returns pages of the invitations that can be accepted', async () => {
    const { keystile, clock, accept, mailTo } = await start()
    const users = keystile.users
    assert.ok(users)
    assert.deepEqual(await users.listInvitations(), { invitations: [], next: null })

    await users.invite({ email: 'Expired@example.com' })
    await mailTo('Expired@example.com')
    clock.advance(7 * 24 * 60 * 60)
    const invitedAt = new Date(clock.now())
    const rights = { scopes: ['items:write'], roles: ['reader', 'admin'] }
    const { expiresAt } = await users.invite({ email: 'Carol@example.com', ...rights })
    for (const name of ['bob', '1-ada', 'dora', 'bob']) {
      await users.invite({ email: `${name}@example.com` })
    }
    await accept({ token: (await mailTo('dora@example.com')).token, username: 'dora' })

    const first = await users.listInvitations({ limit: 1 })
    assert.deepEqual(
      [first.invitations.map((one) => one.email), first.next],
      [['1-ada@example.com'], '1-ada@example.com'],
    )
    const { invitations, next } = await users.listInvitations({ after: first.next ?? '', limit: 2 })
    assert.equal(next, null)
    assert.equal(invitations[0]?.email, 'bob@example.com')
    assert.deepEqual(invitations.slice(1), [
      { email: 'Carol@example.com', ...rights, invitedAt, expiresAt },
    ])
    for (const limit of [0, 201, 1.5])
      await assert.rejects(async () => users.listInvitations({ limit }), {
        code: 'unprocessable_content',
      })
  })

  it('users.uninvite makes the link of the invitation useless, and records for whom', async () => {
    const { invited, accept, keystile } = await start()
    const { token } = await invited()
    await keystile.users?.uninvite(email.toUpperCase())
    assert.deepEqual((await keystile.users?.listInvitations())?.invitations, [])
    assert.equal((await accept({ token })).status, 403)
    const [invitation, revocation, ...more] = await stage.sql(
      "select actor, subject from audit where event like '%invit%' order by id",
    )
    assert.equal(revocation?.['actor'], 'app')
    assert.ok(revocation['subject'])
    assert.equal(revocation['subject'], invitation?.['subject'])
    assert.deepEqual(more, [])
    const refused = async (address: string, code: string): Promise<void> =>
      assert.rejects(async () => keystile.users?.uninvite(address), { code })
    await refused(email, 'not_found')
    await refused('no address', 'unprocessable_content')
  })

  it('an invitation that cannot be decrypted is neither listed nor accepted', async () => {
    const { invited, accept, keystile } = await start()
    const { token } = await invited()
    await stage.sql("update mail_proof set sealed = 'encrypted with another key'")
    assert.deepEqual((await keystile.users?.listInvitations())?.invitations, [])
    assert.equal((await accept({ token })).status, 403)
  })

  it('users.invite, users.listInvitations and users.uninvite throw without `mail`', async () => {
    const { keystile } = await stage.start()
    const { users } = keystile
    assert.ok(users)
    await assert.rejects(async () => users.invite({ email }), TypeError)
    await assert.rejects(
      async () => users.listInvitations(),
      /users\.listInvitations\(\) needs mail/,
    )
    await assert.rejects(async () => users.uninvite(email), TypeError)
  })
})
