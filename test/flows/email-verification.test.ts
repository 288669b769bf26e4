// Verifies addresses: of an existing account (`emailVerification: 'optional'`), or before the
// account exists (`'required'`).
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import type { AppMail, MailMessage } from '@keystile/server'
import * as z from 'zod'
import {
  createTestClock,
  describeOnOne,
  issuer,
  password,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { mailsSent } from '../../packages/server/test-support/mails-sent.ts'
import { until } from '../../tools/until.ts'

const next = 'purple monkey dishwasher'
const path = '/email-verifications/confirm'

type StageOptions = Parameters<Stage['start']>[0]

/** A stage whose Keystile sends its mails to a list, by the app's own function. */
interface Started extends TestKeystile {
  readonly clock: TestClock
  readonly mails: readonly MailMessage[]
  confirm(fields: object, bearer?: string): Promise<Answer>
  /** Resolves when all requests are resolved and all mails are sent. Returns the newest mail. */
  settled(): Promise<Mail>
  /** Registers, and returns the members of the answer with the mail. */
  registered(fields?: object): Promise<Mail & { readonly id: string; readonly user: string }>
  verified(): Promise<unknown>
}

/** What a person reads in a mail. */
interface Mail {
  readonly message: MailMessage
  readonly token: string
  readonly code: string
}

async function start(
  stage: Stage,
  emailVerification: 'off' | 'optional' | 'required',
  options: object = {},
): Promise<Started> {
  const clock = createTestClock()
  const mails: MailMessage[] = []
  const mail: AppMail = {
    from: 'no-reply@example.com',
    send: (message) => void mails.push(message),
  }
  const all = { clock, mail, emailVerification, ...options } as StageOptions
  const started = await stage.start(all)
  const settled = async (): Promise<Mail> => {
    await mailsSent(stage)
    return mailOf(mails.at(-1))
  }
  return {
    ...started,
    clock,
    mails,
    settled,
    confirm: (json, bearer) =>
      started.send('POST', path, { json, ...(bearer !== undefined && { bearer }) }),
    async registered(fields = {}) {
      const { status, json, text } = await started.register({ ...fields })
      assert.equal(status, emailVerification === 'optional' ? 201 : 202, text)
      const id = String(json['registration_id'] ?? json['verification_request_id'])
      return { id, user: String(json['id']), ...(await settled()) }
    },
    async verified() {
      const [row] = await stage.sql('select email_verified_at as at from "user"')
      return row && row['at'] !== null
    },
  }
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

/** What an answer shows, without the values that are random. */
function shapeOf({ status, headers, json }: Answer): unknown {
  const lengths = Object.entries(json).map(([name, value]) => [name, String(value).length])
  return [status, [...headers], lengths]
}

describeOnOne(
  'PostgreSQL',
  'the address of an account, with emailVerification: optional',
  (stage) => {
    it('a mailed link and the password together verify an address, but only once', async () => {
      const { registered, confirm, login, send, open } = await start(stage, 'optional')
      const { token, message } = await registered()
      assert.equal(message.to, 'ada@example.com')
      assert.ok(message.text.includes(`\n${issuer}/account/verify-email?token=${token}\n`))
      const bearer = (await login()).json['access_token'] as string
      assert.equal((await send('GET', '/users/me', { bearer })).json['email_verified'], false)

      assert.equal((await confirm({ token, password })).status, 204)
      assert.equal((await send('GET', '/users/me', { bearer })).json['email_verified'], true)
      assert.equal((await open([], { bearer })).json['user'].emailVerified, true)
      assert.equal((await confirm({ token, password })).status, 403)
    })

    it('a request with a mailed code and an access token verifies an account’s address', async () => {
      const { registered, confirm, login, keystile } = await start(stage, 'optional')
      const { code, id: request_id, user } = await registered()
      const bearer = (await login()).json['access_token'] as string
      assert.equal((await confirm({ request_id, code: wrong(code) }, bearer)).status, 403)
      assert.equal((await confirm({ request_id, code }, bearer)).status, 204)
      assert.equal((await keystile.users?.find({ id: user }))?.emailVerified, true)
    })

    it('a link or code verifies nothing without the user’s password or access token', async () => {
      const started = await start(stage, 'optional')
      const { registered, confirm, tokens, verified } = started
      const { code, id: request_id, token } = await registered()
      for (const proof of [{ token }, { request_id, code }]) {
        assert.equal((await confirm(proof)).status, 422)
        const refused = await confirm({ ...proof, password: next })
        assert.equal(refused.status, 403)
        assert.deepEqual(refused.json['errors'][0].loc, ['body', 'password'])
      }
      assert.equal(await verified(), false)
      const { accessToken: other } = await tokens('eve')
      for (const proof of [{ token }, { request_id, code }])
        assert.equal((await confirm(proof, other)).status, 403)
      assert.equal((await confirm({ token, password }, 'not.a.token')).status, 401)
      assert.equal((await confirm({ token, password }, other)).status, 204)
    })

    it('the owner of a mistyped address cannot verify the account (better-auth #7196)', async () => {
      const { registered, send, verified, confirm } = await start(stage, 'optional')
      const { token } = await registered({ email: 'aliceee@example.com' })
      await send('GET', `/account/verify-email?token=${token}`)
      const form = { token, password: 'a guess of the other person' }
      assert.equal((await send('POST', '/account/verify-email', { form })).status, 403)
      assert.equal((await confirm({ token })).status, 422)
      assert.equal(await verified(), false)
    })

    it('a reset locks out a stranger who registered the address (GHSA-qq9h-g4jm-xgf3)', async () => {
      const { registered, settled, confirm, send, login } = await start(stage, 'optional', {
        profile: z.object({ website: z.string().optional() }),
      })
      const { token, id: request_id, code } = await registered({ website: 'https://evil.example' })
      const attacker = (await login()).json['access_token'] as string
      assert.equal((await send('GET', '/users/me', { bearer: attacker })).status, 200)
      await send('POST', '/password-resets', { json: { login: 'ada@example.com' } })
      const reset = await settled()
      const chosen = { token: reset.token, new_password: next }
      assert.equal((await send('POST', '/password-resets/confirm', { json: chosen })).status, 204)

      assert.equal((await login()).status, 400)
      assert.equal((await send('GET', '/users/me', { bearer: attacker })).status, 401)
      assert.equal((await confirm({ token, password })).status, 403)
      const bearer = (await login({ password: next })).json['access_token'] as string
      assert.equal((await confirm({ request_id, code }, bearer)).status, 403)
      const { json } = await send('GET', '/users/me', { bearer })
      assert.deepEqual([json['email_verified'], json['website']], [true, undefined])
    })

    it('wrong codes for a mailbox count on if the account is deleted and made again', async () => {
      const { registered, keystile, clock, confirm } = await start(stage, 'optional')
      let last = await registered()
      const guess = async (): Promise<void> => {
        const typed = { request_id: last.id, code: wrong(last.code), password }
        assert.equal((await confirm(typed)).status, 403)
      }
      // The tag does not make it another mailbox.
      for (const name of ['ada+1', 'ada+2']) {
        for (let count = 0; count < 4; count++) await guess()
        await keystile.users?.delete(last.user)
        last = await registered({ username: name.replace('+', ''), email: `${name}@example.com` })
      }
      for (let count = 0; count < 2; count++) await guess()
      const right = { request_id: last.id, code: last.code, password }
      assert.equal((await confirm(right)).status, 403)
      clock.advance(144 * 60)
      assert.equal((await confirm(right)).status, 204)
    })

    it('a verification code does not work for another account (better-auth #11023)', async () => {
      const { registered, confirm, login } = await start(stage, 'optional')
      const ada = await registered()
      const eve = await registered({ username: 'eve', email: 'eve@example.com' })
      const bearerOf = async (username: string): Promise<string> =>
        (await login({ username })).json['access_token'] as string
      const [adas, eves] = [await bearerOf('ada'), await bearerOf('eve')]
      assert.equal((await confirm({ request_id: eve.id, code: ada.code }, eves)).status, 403)
      assert.equal((await confirm({ request_id: ada.id, code: eve.code }, adas)).status, 403)
      assert.equal((await confirm({ request_id: ada.id, code: ada.code }, eves)).status, 403)
      assert.equal((await confirm({ request_id: ada.id, code: ada.code }, adas)).status, 204)
    })

    it('POST /email-verifications sends another mail if the address is not verified', async () => {
      const { registered, settled, confirm, login, send, mails } = await start(stage, 'optional')
      await registered()
      const bearer = (await login()).json['access_token'] as string
      const again = (): Promise<Answer> =>
        send('POST', '/email-verifications', { bearer, headers: { 'accept-language': 'fr' } })
      assert.equal((await send('POST', '/email-verifications')).status, 401)
      const { status, json } = await again()
      assert.equal(status, 202)
      const { message, code } = await settled()
      assert.deepEqual(
        [message.subject, mails.length],
        ['Confirmez votre adresse pour localhost:3000', 2],
      )
      assert.equal((await confirm({ request_id: json['request_id'], code }, bearer)).status, 204)
      assert.equal((await again()).status, 409)
    })

    it('only one of several simultaneous confirmations of an address succeeds', async () => {
      const { registered, confirm } = await start(stage, 'optional')
      const { token, id: request_id, code } = await registered()
      const proofs = [{ token }, { request_id, code }, { token }, { request_id, code }]
      const answers = await Promise.all(proofs.map((proof) => confirm({ ...proof, password })))
      const statuses = answers.map(({ status }) => String(status)).toSorted()
      assert.deepEqual(statuses, ['204', '403', '403', '403'])
    })

    it('a verification link fails after a day, an address change or users.disable', async () => {
      const started = await start(stage, 'optional')
      const { registered, confirm, disable, login, send, settled, verified, clock, users } = started
      const { token, user } = await registered()
      const bearer = (await login()).json['access_token'] as string
      const found = await users.readBySubject(user)
      assert.ok(found)
      const email = { shown: 'countess@example.com', key: 'countess@example.com' }
      assert.equal(await users.changeEmail(found, email, { actor: 'operator' }), 'changed')
      assert.equal((await confirm({ token }, bearer)).status, 403)
      const guess = await confirm({ token, password: next })
      assert.deepEqual(
        [guess.status, guess.json['errors']],
        [403, undefined],
        'no password is verified',
      )

      await send('POST', '/email-verifications', { bearer })
      const { token: late } = await settled()
      clock.advance(24 * 60 * 60)
      assert.equal((await confirm({ token: late, password })).status, 403)
      const fresh = (await login()).json['access_token'] as string
      await send('POST', '/email-verifications', { bearer: fresh })
      const { token: disabled } = await settled()
      await disable(user)
      assert.equal((await confirm({ token: disabled, password })).status, 403)
      assert.equal(await verified(), false)
    })

    it('all invalid links and codes for verifying an address get the same answer', async () => {
      const { registered, confirm } = await start(stage, 'optional')
      const { token, id: request_id, code } = await registered()
      assert.equal((await confirm({ token, password })).status, 204)
      const answers = []
      for (const proof of [
        { token },
        { token: '' },
        { token: 'A'.repeat(43) },
        { token: request_id },
        { request_id, code },
        { request_id: 'unknown', code: '12345678' },
        { registration_id: 'unknown', code: '12345678' },
        { registration_id: request_id, code },
      ])
        answers.push(await confirm({ ...proof, password }))
      const [first] = answers.map(({ status, headers, text }) => [status, [...headers], text])
      assert.equal(first?.[0], 403)
      for (const { status, headers, text } of answers)
        assert.deepEqual([status, [...headers], text], first)
    })

    it('the confirmation of an address gets 422 if fields are missing or contradictory', async () => {
      const { registered, confirm } = await start(stage, 'optional')
      const { token, id: request_id, code } = await registered()
      for (const fields of [
        {},
        { password },
        { code, password },
        { request_id, password },
        { token, code, password },
        { token, request_id, code, password },
        { request_id, registration_id: request_id, code, password },
        { token },
        { request_id, code },
        { registration_id: request_id, code, username: 'bob' },
        { token, password, username: '_' },
        { token, password, email: 'x@example.com' },
      ])
        assert.equal((await confirm(fields)).status, 422, JSON.stringify(fields))
      assert.equal((await confirm({ token, password })).status, 204)
    })

    it('a verification link resets no password, and a reset link verifies no address', async () => {
      const { registered, confirm, send, settled, mails } = await start(stage, 'optional')
      const { token, id: request_id, code } = await registered()
      const reset = (json: object): Promise<Answer> =>
        send('POST', '/password-resets/confirm', { json: { new_password: next, ...json } })
      assert.equal((await reset({ token })).status, 403)
      assert.equal((await reset({ request_id, code })).status, 403)

      const asked = await send('POST', '/password-resets', { json: { login: 'ada' } })
      const other = await settled()
      assert.equal(mails.length, 2)
      assert.equal((await confirm({ token: other.token, password })).status, 403)
      const proof = { request_id: asked.json['request_id'], code: other.code, password }
      assert.equal((await confirm(proof)).status, 403)
      assert.equal((await confirm({ token, password })).status, 204)
      assert.equal((await reset({ token: other.token })).status, 204)
    })

    it('after ten wrong passwords, a verification link works only with an access token', async () => {
      const { registered, confirm, login } = await start(stage, 'optional', { rateLimits: 'on' })
      const { token } = await registered()
      const guess = async (typed: string): Promise<number> =>
        (await confirm({ token, password: typed })).status
      for (let count = 0; count < 10; count++) assert.equal(await guess('wrong'), 403)
      assert.equal(await guess(password), 429)
      const entries = await stage.sql("select event from audit where event = 'password_refused'")
      assert.equal(entries.length, 10)
      const bearer = (await login()).json['access_token'] as string
      assert.equal((await confirm({ token }, bearer)).status, 204)
    })

    it('mail requests are limited per user, and wrong links are limited per IP address', async () => {
      const { registered, login, send } = await start(stage, 'optional', {
        rateLimits: 'on',
        trustedProxies: [],
      })
      await registered()
      const bearer = (await login()).json['access_token'] as string
      const statuses = []
      for (let count = 0; count < 6; count++)
        statuses.push((await send('POST', '/email-verifications', { bearer })).status)
      assert.deepEqual(statuses, [202, 202, 202, 202, 202, 429])

      const guess = async (remoteAddress: string): Promise<number> =>
        (await send('POST', path, { json: { token: 'guess', password }, remoteAddress })).status
      for (let count = 0; count < 100; count++) assert.equal(await guess('192.0.2.7'), 403)
      assert.equal(await guess('192.0.2.7'), 429)
      assert.equal(await guess('192.0.2.8'), 403)
    })

    it('the verification of an address makes an audit entry and an event for the app', async () => {
      const events: unknown[] = []
      const { registered, confirm } = await start(stage, 'optional', {
        onEvent: ({ at: _at, ...event }: { at: Date; type: string }) => {
          if (event.type === 'changed') events.push(event)
        },
      })
      const { token, user: subject } = await registered()
      assert.equal((await confirm({ token, password })).status, 204)
      const [entry] = await stage.sql(
        "select actor, subject from audit where event = 'email_verified'",
      )
      assert.deepEqual({ ...entry }, { actor: 'nobody', subject })
      assert.deepEqual(events, [{ type: 'changed', what: 'email', subject, actor: 'nobody' }])
    })

    it('an access token of a client other than `first-party` verifies no address', async () => {
      const { registered, confirm, send, addClient, verified } = await start(stage, 'optional')
      const { token } = await registered()
      const client = await addClient({ grants: ['password'], confidential: false })
      const form = { username: 'ada', password, grant_type: 'password', ...client }
      const bearer = (await send('POST', '/token', { form })).json['access_token'] as string
      assert.ok(bearer)
      assert.equal((await confirm({ token }, bearer)).status, 403)
      assert.equal(await verified(), false)
    })

    it('users.create sends no mail, and can store the address as verified', async () => {
      const { keystile, mails, users } = await start(stage, 'optional')
      const create = keystile.users!.create
      const user = await create({
        username: 'ada',
        email: 'ada@example.com',
        password,
        emailVerified: true,
      })
      assert.equal(user.emailVerified, true)
      assert.equal((await users.readBySubject(user.id))?.publicUser.emailVerified, true)
      const other = await create({ username: 'bob', email: 'bob@example.com', password })
      assert.equal(other.emailVerified, false)
      await assert.rejects(
        create({ username: 'eve', password, emailVerified: true }),
        /email: Field/,
      )
      assert.deepEqual(await stage.sql('select id from mail_proof'), [])
      assert.equal(mails.length, 0)
    })
  },
)

describeOnOne('PostgreSQL', 'a registration, with emailVerification: required', (stage) => {
  it('POST /users creates no account until the mailed link is used with the password', async () => {
    const { registered, confirm, login } = await start(stage, 'required')
    const { token, message } = await registered({ username: 'Ada' })
    assert.ok(message.text.includes(`\n${issuer}/account/finish-registration?token=${token}\n`))
    assert.deepEqual(await stage.sql('select id from "user"'), [])
    assert.equal((await login()).status, 400)

    const { status, headers, json } = await confirm({ token, password })
    assert.equal(status, 201)
    assert.equal(headers.get('location'), `${issuer}/users/${json['id']}`)
    assert.deepEqual(
      [json['username'], json['email'], json['email_verified']],
      ['Ada', 'ada@example.com', true],
    )
    assert.equal((await login()).status, 200)
    assert.equal((await confirm({ token, password })).status, 403)
    assert.deepEqual(await stage.sql('select id from pending_registration'), [])
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
  })

  it('the mailed code, sent with the registration_id, creates the account', async () => {
    const { registered, confirm, login } = await start(stage, 'required')
    const { code, id: registration_id } = await registered()
    assert.equal((await confirm({ registration_id, code: wrong(code) })).status, 403)
    assert.equal((await confirm({ registration_id, code })).status, 201)
    assert.equal((await login()).status, 200)
    assert.equal((await confirm({ registration_id, code })).status, 403)
  })

  it('a registration’s link creates the account only with the registered password', async () => {
    const { registered, confirm, keystile, login } = await start(stage, 'required')
    const { token, code, id } = await registered()
    assert.equal((await confirm({ token })).status, 422)
    const { json, status } = await confirm({ token, password: next })
    assert.deepEqual([status, json['errors'][0].loc], [403, ['body', 'password']])
    assert.equal((await confirm({ registration_id: id, code, password: next })).status, 403)
    assert.equal((await confirm({ request_id: id, code, password })).status, 403)
    await keystile.users?.create({ username: 'eve', password })
    const bearer = (await login({ username: 'eve' })).json['access_token'] as string
    assert.equal((await confirm({ token }, bearer)).status, 403)
    assert.equal((await stage.sql('select id from "user"')).length, 1)
    assert.equal((await confirm({ token, password })).status, 201)
  })

  it('no answer or stored row of POST /users reveals if a name or address is taken', async () => {
    const { keystile, register, settled, mails } = await start(stage, 'required')
    await keystile.users?.create({ username: 'Ada', email: 'Ada@Example.com', password })
    const free = ['bob@example.com', 'cod@example.com']
    // Another process has the lease, so no request is resolved.
    await stage.sql("update lease set fence = fence + 1, holder = 'x', expires_at = 9e15")
    const answers: Answer[] = []
    for (const [username, email] of [
      ['bob', free[0]],
      ['ada', free[1]],
      ['bob', 'ADA@example.com'],
      ['ada', 'ada@example.COM'],
    ])
      answers.push(await register({ username, email }))
    for (const answer of answers) assert.deepEqual(shapeOf(answer), shapeOf(answers[0] as Answer))
    assert.equal(answers[0]?.status, 202)
    const rows = await stage.sql(
      'select p.subject, p.mailbox, p.tries, p.resolved_at, length(p.sealed), r.expires_at, ' +
        'length(r.password_hash), length(r.subject) ' +
        'from mail_proof p join pending_registration r on r.id = p.id',
    )
    assert.equal(rows.length, 4)
    for (const row of rows) assert.deepEqual(row, rows[0])

    await stage.sql('update lease set expires_at = 0')
    await settled()
    const sent = mails.map(({ to, subject }) => `${to}: ${subject}`)
    assert.deepEqual(sent.toSorted(), [
      'Ada@example.com: You already have an account at localhost:3000',
      'Ada@example.com: You already have an account at localhost:3000',
      'bob@example.com: Finish your registration at localhost:3000',
      'cod@example.com: Finish your registration at localhost:3000',
    ])
    const told = mails.find(({ to }) => to === 'Ada@example.com')
    assert.doesNotMatch(told?.text ?? 'token', /token|https?:|\d{4} \d{4}/)
    const pending = await stage.sql('select email_key from pending_registration order by email_key')
    assert.deepEqual(
      pending.map(({ email_key }) => email_key),
      free,
    )
  })

  it('wrong registration codes are counted alike for taken and free addresses', async () => {
    const { keystile, register, settled, confirm } = await start(stage, 'required')
    await keystile.users?.create({ username: 'ada', email: 'ada@example.com', password })
    const ids: string[] = []
    for (const email of ['ada@example.com', 'bob@example.com'])
      ids.push(String((await register({ username: 'x1', email })).json['registration_id']))
    const { code } = await settled()
    const answers: unknown[][] = [[], []]
    for (let count = 0; count < 6; count++)
      for (const [index, registration_id] of ids.entries()) {
        const { status, headers, text } = await confirm({ registration_id, code: wrong(code) })
        answers[index]?.push([status, [...headers], text])
      }
    assert.deepEqual(answers[0], answers[1])
    const counted = await stage.sql('select tries from mail_proof')
    assert.deepEqual(
      counted.map(({ tries }) => Number(tries)),
      [5, 5],
    )
    const rates = await stage.sql('select tat from rate')
    const [first, second] = rates.map(({ tat }) => Number(tat)).toSorted((a, b) => b - a)
    assert.equal(first, second)
  })

  it('all registrations of one mailbox, also with tags, share a limit for wrong codes', async () => {
    const { register, settled, confirm } = await start(stage, 'required')
    let last: Mail & { id: string } = { ...mailOf({ text: '' } as MailMessage), id: '' }
    for (let request = 0; request < 3; request++) {
      const email = `ada+${request}@example.com`
      const { json } = await register({ username: `ada${request}`, email })
      last = { ...(await settled()), id: String(json['registration_id']) }
      for (let count = 0; count < 4; count++)
        await confirm({ registration_id: last.id, code: wrong(last.code) })
    }
    assert.equal((await confirm({ registration_id: last.id, code: last.code })).status, 403)
    assert.equal((await confirm({ token: last.token, password })).status, 201)
  })

  it('if the user name is taken meanwhile, the confirmation can give another name', async () => {
    const { registered, confirm, keystile, login } = await start(stage, 'required')
    const { token, code, id } = await registered()
    await keystile.users?.create({ username: 'ADA', password })
    for (const proof of [
      { token, password },
      { registration_id: id, code },
    ]) {
      const { status, json } = await confirm(proof)
      assert.deepEqual([status, json['errors'][0].loc], [409, ['body', 'username']])
    }
    // The password contains the new name.
    const telling = await confirm({ token, password, username: 'correct-horse' })
    const { status, json } = telling
    assert.deepEqual([status, json['errors'][0].loc], [422, ['body', 'password']])
    const finished = await confirm({ token, password, username: 'ada2' })
    assert.deepEqual([finished.status, finished.json['username']], [201, 'ada2'])
    assert.equal((await login({ username: 'ada2' })).status, 200)
  })

  it('the confirmation of a registration gets 429 after ten tries with a taken name', async () => {
    const { registered, confirm, keystile } = await start(stage, 'required', { rateLimits: 'on' })
    const { token } = await registered()
    await keystile.users?.create({ username: 'ada', password })
    const statuses = []
    for (let count = 0; count < 11; count++)
      statuses.push((await confirm({ token, password })).status)
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 409), 429])
  })

  it('if two registrations have the same address, the one confirmed first succeeds', async () => {
    const { registered, confirm, login } = await start(stage, 'required')
    const first = await registered()
    const second = await registered({ username: 'ada2', password: next })
    assert.equal((await confirm({ token: second.token, password: next })).status, 201)
    assert.equal((await confirm({ token: first.token, password })).status, 403)
    assert.deepEqual(await stage.sql('select id from pending_registration'), [])
    assert.equal((await login({ username: 'ada2', password: next })).status, 200)
  })

  it('the confirmation of a registration gets 409 if the address is taken meanwhile', async () => {
    const { registered, confirm, keystile } = await start(stage, 'required')
    const { token } = await registered()
    await keystile.users?.create({ username: 'eve', email: 'ADA@example.com', password })
    // A taken name gets the same answer as a free one: the address comes first.
    for (const username of [undefined, 'eve', 'free-name']) {
      const { status, json } = await confirm({ token, password, username })
      assert.deepEqual([status, json['errors'][0].loc], [409, ['body', 'email']])
    }
    assert.equal((await stage.sql('select id from "user"')).length, 1)
  })

  it('only one of several simultaneous confirmations of a registration succeeds', async () => {
    const { registered, confirm } = await start(stage, 'required')
    const { token, id: registration_id, code } = await registered()
    const proofs = [
      { token, password },
      { registration_id, code },
    ]
    const answers = await Promise.all([...proofs, ...proofs].map((proof) => confirm(proof)))
    const statuses = answers.map(({ status }) => String(status)).toSorted()
    assert.deepEqual(statuses, ['201', '403', '403', '403'])
    assert.equal((await stage.sql('select id from "user"')).length, 1)
  })

  it('a user who registers a stranger’s address gets no account (better-auth #11023)', async () => {
    const { registered, confirm, login, send } = await start(stage, 'required')
    const attack = await registered({ username: 'mallory', password: next })
    const owner = await registered()
    // The owner answers the newest mail, or by mistake the one that the attacker caused.
    const form = { token: attack.token, password }
    assert.equal((await send('POST', '/account/finish-registration', { form })).status, 403)
    assert.equal((await confirm({ registration_id: owner.id, code: attack.code })).status, 403)
    assert.equal((await confirm({ registration_id: attack.id, code: owner.code })).status, 403)
    assert.equal((await confirm({ registration_id: owner.id, code: owner.code })).status, 201)
    assert.equal((await login({ username: 'mallory', password: next })).status, 400)
    assert.equal((await login()).status, 200)
    assert.equal((await confirm({ registration_id: attack.id, code: attack.code })).status, 403)
  })

  it('an address with a Cyrillic letter differs from the address that looks alike', async () => {
    const { registered, confirm, keystile, mails } = await start(stage, 'required')
    await keystile.users?.create({ username: 'ada', email: 'ada@example.com', password })
    // The first letter of the domain is Cyrillic.
    const { token } = await registered({ username: 'eve', email: 'ada@еxample.com' })
    assert.deepEqual(
      mails.map(({ to }) => to),
      ['ada@xn--xample-2of.com'],
    )
    const { json } = await confirm({ token, password })
    assert.equal(json['email'], 'ada@xn--xample-2of.com')
    assert.equal((await keystile.users?.find({ login: 'ada@example.com' }))?.username, 'ada')
  })

  it('a registration expires after 24 hours, and housekeeping deletes it', async () => {
    const first = await start(stage, 'required')
    const { token, id: registration_id, code } = await first.registered()
    first.clock.advance(24 * 60 * 60)
    assert.equal((await first.confirm({ token, password })).status, 403)
    assert.equal((await first.confirm({ registration_id, code })).status, 403)
    await first.keystile.close()
    first.clock.advance(1)
    await stage.start({ clock: first.clock })
    await until(async () => (await stage.sql('select id from pending_registration')).length === 0)
  })

  it('POST /users stores nothing if a field is wrong or registration is closed', async () => {
    const { register } = await start(stage, 'required')
    assert.equal((await register({ password: 'ada-lovelace-ada' })).status, 422)
    assert.equal((await register({ email: 'no address' })).status, 422)
    assert.equal((await register({ roles: ['admin'] })).status, 422)
    assert.deepEqual(await stage.sql('select id from pending_registration'), [])
    const closed = await start(stage, 'required', { registration: 'closed' })
    assert.equal((await closed.register()).status, 403)
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
  })

  it('the account gets the profile that was sent with the registration', async () => {
    const profile = z.object({ city: z.string() })
    const { registered, confirm, register } = await start(stage, 'required', { profile })
    assert.equal((await register()).status, 422)
    const { token } = await registered({ city: 'London' })
    assert.equal((await confirm({ token, password })).json['city'], 'London')
  })

  it('registrations have a rate limit per IP address and for the whole server', async () => {
    const { send } = await start(stage, 'required', { rateLimits: 'on', trustedProxies: [] })
    const from = async (remoteAddress: string, name: string): Promise<number> => {
      const json = { username: name, email: `${name}@example.com`, password }
      return (await send('POST', '/users', { json, remoteAddress })).status
    }
    for (let count = 0; count < 50; count++)
      assert.equal(await from('192.0.2.7', `user${count}`), 202)
    assert.equal(await from('192.0.2.7', 'other'), 429)
    assert.equal(await from('192.0.2.8', 'other'), 202)
    await stage.sql('update rate set tat = tat + 1200000')
    assert.equal(await from('192.0.2.9', 'third'), 429)
  })

  for (const emailVerification of ['off', 'optional'] as const)
    it(`with emailVerification: ${emailVerification}, refused registrations do not use up the limit of the whole server`, async () => {
      const { send } = await start(stage, 'optional', { emailVerification, rateLimits: 'on' })
      const register = async (username: string, secret = password): Promise<number> => {
        const json = { username, email: `${username}@example.com`, password: secret }
        return (await send('POST', '/users', { json })).status
      }
      for (let count = 0; count < 600; count++)
        assert.equal(await register('ada', 'passwordpassword'), 422)
      assert.equal(await register('ada'), 201)
      await stage.sql('update rate set tat = tat + 598 * 2000') // one registration is left
      for (let count = 0; count < 3; count++) assert.equal(await register('ada'), 409)
      assert.equal(await register('bob'), 201)
      assert.equal(await register('carol'), 429)
    })

  it('a mailbox, whatever the tag, gets 3 registration mails an hour; each request gets 202', async () => {
    const { register, settled, mails, clock } = await start(stage, 'required')
    for (let count = 0; count < 5; count++) {
      const email = `ada+${count}@example.com`
      assert.equal((await register({ username: `ada${count}`, email })).status, 202)
    }
    await settled()
    assert.equal(mails.length, 3)
    clock.advance(60 * 60)
    await register()
    await settled()
    assert.equal(mails.length, 4)
  })

  it('with emailVerification: required, an existing account can verify its address', async () => {
    const { keystile, login, send, settled, confirm } = await start(stage, 'required')
    const { id } = await keystile.users!.create({
      username: 'ada',
      email: 'ada@example.com',
      password,
    })
    const bearer = (await login()).json['access_token'] as string
    assert.equal((await send('POST', '/email-verifications', { bearer })).status, 202)
    const { token } = await settled()
    assert.equal((await confirm({ token, password })).status, 204)
    assert.equal((await keystile.users?.find({ id }))?.emailVerified, true)
  })

  it('the database contains no token, code or password of a registration', async () => {
    const { registered } = await start(stage, 'required')
    const { token, code, id } = await registered()
    const secrets = [token, code, code.replace(' ', ''), id, password]
    const rows = JSON.stringify([
      await stage.sql('select * from mail_proof'),
      await stage.sql('select * from pending_registration'),
    ])
    for (const secret of secrets) assert.ok(!rows.includes(secret), secret)
    const [row] = await stage.sql('select * from pending_registration')
    assert.match(String(row?.['password_hash']), /^\$argon2id\$/)
    if (stage.kind === 'PostgreSQL') return

    for (const file of readdirSync(dirname(stage.database))) {
      const bytes = readFileSync(join(dirname(stage.database), file), 'latin1')
      for (const secret of secrets) assert.ok(!bytes.includes(secret), `${file}: ${secret}`)
    }
  })

  it('a link still works if emailVerification is changed after the mail was sent', async () => {
    const before = await start(stage, 'required')
    const { token } = await before.registered()
    await before.keystile.close()
    const after = await start(stage, 'optional')
    assert.equal((await after.confirm({ token, password })).status, 201)
    const other = await after.registered({ username: 'eve', email: 'eve@example.com' })
    await after.keystile.close()
    const again = await start(stage, 'required')
    assert.equal((await again.confirm({ token: other.token, password })).status, 204)
  })
})

describeOnOne('PostgreSQL', 'the setting emailVerification', (stage) => {
  it('the answers to POST /users in OpenAPI depend on the setting emailVerification', async () => {
    const answersOf = ({ document }: TestKeystile): readonly string[] => {
      const { paths } = document as unknown as {
        paths: Record<string, Record<string, { responses: object }>>
      }
      return Object.keys(paths['/auth/users']?.['post']?.responses ?? {})
    }
    assert.ok(answersOf(await stage.start()).includes('201'))
    const optional = answersOf(await start(stage, 'optional'))
    assert.ok(optional.includes('201') && optional.includes('409'))
    const required = answersOf(await start(stage, 'required'))
    assert.ok(required.includes('202') && !required.includes('201') && !required.includes('409'))
  })

  it('the OpenAPI document allows a confirmation with or without an access token', async () => {
    const { document } = await start(stage, 'required')
    const { paths } = document as unknown as {
      paths: Record<string, Record<string, { responses: object; security: unknown }>>
    }
    const { responses = {}, security } = paths[`/auth${path}`]?.['post'] ?? {}
    assert.deepEqual(security, [{}, { keystile: [] }])
    const statuses = Object.keys(responses)
    for (const status of ['201', '204', '401', '403', '409', '422', '429'])
      assert.ok(statuses.includes(status), status)
  })

  it('without mail, there are no verification endpoints and no pages', async () => {
    const { send } = await stage.start()
    for (const missing of ['/email-verifications', path, '/account/verify-email'])
      assert.equal((await send('POST', missing, { json: {} })).status, 404, missing)
  })

  it('with emailVerification: off, a user verifies the address and sets up a factor', async () => {
    const { login, register, send, settled, confirm } = await start(stage, 'off', {
      secondFactor: 'optional',
    })
    assert.equal((await register()).status, 201)
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
    const bearer = (await login()).json['access_token'] as string
    const beginFactor = async () => send('POST', '/users/me/factors/totp', { bearer })
    assert.equal((await beginFactor()).status, 403)

    assert.equal((await send('POST', '/email-verifications', { bearer })).status, 202)
    const { token, message } = await settled()
    assert.match(message.text, /\/auth\/account\/verify-email\?token=/)
    assert.equal((await send('GET', '/account/verify-email')).status, 200)
    assert.equal((await confirm({ token }, bearer)).status, 204)
    assert.equal((await beginFactor()).status, 200)
  })

  it('Keystile does not start if `emailVerification` is set and `mail` is not', async () => {
    for (const emailVerification of ['optional', 'required'])
      await assert.rejects(
        stage.start({ emailVerification } as StageOptions),
        /emailVerification needs mail[^]*mailUrl/,
      )
  })
})
