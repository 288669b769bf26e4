// A forgotten password of a user whom the app stores in a table of its own. The rules that are the
// same for Keystile's accounts are tested in password-reset.test.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AppMail, MailMessage, UserDirectory } from '@keystile/server'
import { silentLogger } from 'keystile/internal'
import { skipOfOneProcess } from '../../packages/server/test-support/in-turns.ts'
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
import type { Person } from '../../packages/server/test-support/people.ts'
import { runKilledReset } from '../../packages/server/test-support/reset-process.ts'
import { until } from '../../tools/until.ts'

const next = 'purple monkey dishwasher'
const third = 'a third password of hers'

type Users = UserDirectory<Person>

interface Asked {
  readonly token: string
  readonly code: string
  readonly request_id: string
}

/** A Keystile that sends its mails to a list, and whose app stores the users. */
interface Started extends TestKeystile {
  readonly clock: TestClock
  readonly mails: readonly MailMessage[]
  request(login: string): Promise<Answer>
  confirm(fields: object): Promise<Answer>
  /** Resolves when all requests are resolved and all mails are sent. */
  settled(): Promise<void>
  /** Requests a new password, and reads the mail. */
  asked(login?: string): Promise<Asked>
  /** Whether a user can log in with a password. */
  opens(typed: string, username?: string): Promise<boolean>
}

/**
 * @param fields functions that replace those of the app's directory. `undefined` removes one
 */
async function start(
  stage: Stage,
  fields: (users: Users) => {
    readonly [Name in keyof Users]?: Users[Name] | undefined
  } = () => ({}),
  options: object = {},
): Promise<Started> {
  const clock = createTestClock()
  const mails: MailMessage[] = []
  const mail: AppMail = {
    from: 'no-reply@example.com',
    send: (message) => void mails.push(message),
  }
  // The stage opens the table when Keystile starts, so these functions look at it later.
  const late = (): Users => stage.people.directory
  const all: Users = {
    findByLogin: (login) => late().findByLogin(login),
    findBySubject: (id) => late().findBySubject(id),
    subject: ({ id }) => id,
    active: (person) => late().active(person),
    scopes: (person) => late().scopes(person),
    passwordHash: ({ hash }) => hash,
    savePasswordHash: (person, hash) => late().savePasswordHash?.(person, hash),
    email: ({ email }) => email,
    setPassword: (...args) => late().setPassword?.(...args) ?? false,
  }
  const users = { ...all, ...fields(all) }
  const started = await stage.start({ clock, mail, users, ...options } as object)
  const settled = (): Promise<void> => mailsSent(stage)
  const request = (login: string): Promise<Answer> =>
    started.send('POST', '/password-resets', { json: { login } })
  return {
    ...started,
    clock,
    mails,
    request,
    settled,
    async asked(login = 'ada') {
      // So that the last mail is the one asked for, and not one of before that is sent late.
      await settled()
      const { json } = await request(login)
      await settled()
      const text = mails.at(-1)?.text ?? ''
      const token = /token=([\w-]{43})\n/.exec(text)?.[1] ?? ''
      const code = /^\d{4} \d{4}$/m.exec(text)?.[0] ?? ''
      return { token, code, request_id: String(json['request_id']) }
    },
    confirm: (json) =>
      started.send('POST', '/password-resets/confirm', { json: { new_password: next, ...json } }),
    opens: async (typed, username = 'ada') =>
      (await started.login({ username, password: typed })).status === 200,
  }
}

/** A promise that the test resolves. */
function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

describeOnOne(
  'PostgreSQL',
  'a forgotten password of an app’s own user',
  (stage) => {
    it('a reset link or code sets a password in the app’s own table, but only once', async () => {
      const { addUser, asked, confirm, opens, mails, clock } = await start(stage)
      await addUser()
      const [other, { token }] = [await asked(), await asked()]
      assert.equal(mails[0]?.to, 'ada@example.com')
      assert.equal((await confirm({ token })).status, 204)
      assert.deepEqual([await opens(next), await opens(password)], [true, false])
      for (const used of [token, other.token])
        assert.equal((await confirm({ token: used, new_password: third })).status, 403)

      clock.advance(3 * 60 * 60) // a mailbox gets three mails an hour
      const { code, request_id } = await asked('ADA@example.com')
      assert.equal((await confirm({ request_id, code, new_password: third })).status, 204)
      assert.deepEqual([await opens(third), await opens(next)], [true, false])
      assert.equal((await confirm({ request_id, code })).status, 403)
      assert.deepEqual(await stage.sql('select id from "user"'), [])
    })

    it('a password reset ends sessions, forgets known devices and mails the user', async () => {
      const started = await start(stage, undefined, { rateLimits: 'on' })
      const { addUser, login, asked, confirm, refresh, open, settled, mails, clock } = started
      const subject = await addUser()
      const {
        access_token: bearer,
        refresh_token: refreshToken,
        device_secret,
      } = (await login()).json
      const { token } = await asked()
      assert.equal((await confirm({ token })).status, 204)
      assert.equal((await open([], { bearer })).status, 401)
      assert.equal((await refresh(refreshToken)).status, 400)
      assert.deepEqual(
        (await stage.sql("select subject, actor from audit where event = 'password_reset'")).map(
          (row) => ({ ...row }),
        ),
        [{ subject, actor: 'nobody' }],
      )
      await settled()
      const { to, subject: title } = mails.at(-1) ?? {}
      assert.equal(
        `${to}: ${title}`,
        'ada@example.com: Your password at localhost:3000 was changed',
      )

      clock.advance(60 * 60) // a mailbox gets three mails an hour
      const before = mails.length
      const again = await login({ password: next, device_secret })
      assert.equal(again.status, 200)
      await settled()
      assert.equal(mails.length, before + 1, 'the device is new, so a notice tells about it')
    })

    for (const [what, emailVerified, count] of [
      ['without emailVerified', undefined, 3],
      ['whose emailVerified is the text true', 'true', 3],
      ['with emailVerified: true', true, 4],
    ])
      it(`3 strangers and a known device of a user ${what} get ${count} mails`, async () => {
        const { addUser, login, request, send, settled, mails } = await start(stage, (users) => ({
          async findByLogin(typed) {
            const person = await users.findByLogin(typed)
            return person && Object.assign(person, { emailVerified })
          },
        }))
        await addUser()
        const { device_secret } = (await login()).json
        for (let stranger = 0; stranger < 3; stranger++) await request('ada')
        await settled()
        await send('POST', '/password-resets', { json: { login: 'ada', device_secret } })
        await settled()
        const resets = mails.filter(({ text }) => text.includes('reset-password?token='))
        assert.equal(resets.length, count)
      })

    it('notices about a tagged address do not hide those with emailVerified: true', async () => {
      const { addUser, login, settled, mails } = await start(stage, (users) => ({
        async findByLogin(typed) {
          const person = await users.findByLogin(typed)
          return person && Object.assign(person, { emailVerified: person.username === 'ada' })
        },
      }))
      await addUser()
      await stage.people.add({ username: 'eve', email: 'ada+1@example.com', password })
      for (let count = 0; count < 5; count++) await login({ username: 'eve' })
      await settled()
      assert.equal(mails.length, 3)

      for (let count = 0; count < 5; count++) await login()
      await settled()
      assert.equal(mails.filter(({ to }) => to === 'ada@example.com').length, 3)
    })

    it('POST /password-resets answers every login name alike, and looks up no user', async () => {
      let isDown = false
      const { addUser, request, settled, mails } = await start(stage, (users) => ({
        findByLogin(login) {
          if (isDown) throw new Error('no endpoint may look up a user')
          return users.findByLogin(login)
        },
        email: ({ email, username }) => (username === 'odd' ? 'ada@example.com, eve' : email),
      }))
      await addUser()
      const { add } = stage.people
      await add({ username: 'banned', banned: 1 })
      await add({ username: 'unreachable', email: '' })
      await add({ username: 'odd', email: 'odd', password })
      await add({ username: 'passwordless', hash: null })
      isDown = true
      const shapes: unknown[] = []
      for (const login of ['ada', 'banned', 'unreachable', 'odd', 'passwordless', 'unknown']) {
        const { status, headers, json } = await request(login)
        const lengths = Object.entries(json).map(([name, value]) => [name, String(value).length])
        shapes.push([status, [...headers], lengths])
      }
      for (const shape of shapes) assert.deepEqual(shape, shapes[0])
      isDown = false
      await settled()
      assert.deepEqual(
        mails.map(({ to }) => to),
        ['ada@example.com'],
      )
    })

    const skip = skipOfOneProcess
    it(
      'if the app’s findByLogin fails for one reset, resets of other users do not wait',
      { skip },
      async () => {
        const bug = new Error('a bug in the app')
        const tries: string[] = []
        let isBroken = true
        const warnings: unknown[] = []
        const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) }
        const { addUser, request, settled, mails } = await start(
          stage,
          (users) => ({
            findByLogin(login) {
              if (login === 'slow') return new Promise(() => {})
              if (login !== 'broken') return users.findByLogin(login)
              tries.push(login)
              if (isBroken) throw bug
              return undefined
            },
          }),
          { logger },
        )
        warnings.length = 0 // drops the warning that the test's PostgreSQL does not wait for the disk
        await addUser()
        if (process.env['KEYSTILE_LONG']) await request('slow') // 10 s
        for (let count = 0; count < 25; count++) await request('broken')
        await request('ada')
        await until(() => mails.length > 0 && tries.length >= 75)
        assert.equal(mails[0]?.to, 'ada@example.com')
        assert.deepEqual(warnings, [{ err: bug }], 'the log has one warning for all tries')
        isBroken = false
        await settled()
      },
    )

    it('of two processes, only one looks up the user of a reset request', async () => {
      const found: number[] = []
      const { promise: gate, resolve: open } = Promise.withResolvers<void>()
      const startOne = (process: number): Promise<Started> =>
        start(stage, (users) => ({
          async findByLogin(login) {
            found.push(process)
            await gate
            return users.findByLogin(login)
          },
        }))
      const one = await startOne(1)
      await startOne(2)
      await one.addUser()
      await one.request('ada')
      await until(() => found.length > 0)
      await delay(300) // the other process looks for requests each 60 ms
      open()
      await one.settled()
      assert.equal(found.length, 1)
    })

    it('a reset link fails while its user is banned, deleted or has another address', async () => {
      const { addUser, asked, confirm, opens } = await start(stage)
      await addUser()
      const { token, code, request_id } = await asked()
      const unknown = await confirm({ token: 'unknown' })
      const change = stage.people.sql
      for (const [made, undone] of [
        ['update people set banned = 1', 'update people set banned = 0'],
        [
          "update people set email = 'new@example.com'",
          "update people set email = 'ada@example.com'",
        ],
        ["update people set email = ''", "update people set email = 'ADA@example.com'"],
        ["update people set id = 'x' || id", 'update people set id = substr(id, 2)'],
      ] as const) {
        await change(made)
        for (const fields of [{ token }, { request_id, code }, { token, new_password: 'short' }]) {
          const { status, text } = await confirm(fields)
          assert.deepEqual([status, text], [403, unknown.text], made)
        }
        await change(undone)
      }
      assert.equal(await opens(password), true)
      assert.equal((await confirm({ token })).status, 204)
    })

    it('a reset fails if the user changes while the new password is being hashed', async () => {
      const changes = [
        { banned: 1 },
        { email: 'new@example.com' },
        { hash: null },
        undefined,
      ] as const
      let change: (typeof changes)[number] | 'none' = 'none'
      let lookups = 0
      const { addUser, asked, confirm, opens } = await start(stage, (users) => ({
        async findBySubject(id) {
          const person = await users.findBySubject(id)
          if (!person || change === 'none' || lookups++ === 0) return person
          return change === undefined ? undefined : { ...person, ...change }
        },
      }))
      await addUser()
      const { token } = await asked()
      for (change of changes) {
        lookups = 0
        assert.equal((await confirm({ token })).status, 403)
        assert.equal(lookups, 2)
      }
      change = 'none'
      assert.equal(await opens(password), true)
      assert.equal((await confirm({ token })).status, 204, 'the claim was released')
    })

    it('if setPassword fails, a reset gets 500, and its link and code still work', async () => {
      const outcomes: unknown[] = [new Error('the table is locked'), 'yes', undefined]
      const errors: unknown[] = []
      const logger = {
        ...silentLogger,
        error: ({ err }: { readonly err?: unknown }) => void errors.push(err),
      }
      const { addUser, asked, confirm, opens } = await start(
        stage,
        (users) => ({
          setPassword(...args) {
            if (outcomes.length === 0) return users.setPassword?.(...args) ?? false
            const outcome = outcomes.shift()
            if (outcome instanceof Error) throw outcome
            return outcome as boolean
          },
        }),
        { logger },
      )
      await addUser()
      const { token, code, request_id } = await asked()
      for (let failure = 0; failure < 3; failure++) {
        const { status, text } = await confirm(failure === 1 ? { request_id, code } : { token })
        assert.equal(status, 500)
        assert.doesNotMatch(text, /locked|setPassword/)
      }
      assert.deepEqual(
        errors.map((error) => (error as Error).message),
        [
          'the table is locked',
          'users.setPassword must return true or false',
          'users.setPassword must return true or false',
        ],
      )
      assert.equal(await opens(password), true)
      assert.deepEqual(await stage.sql("select id from audit where event = 'password_reset'"), [])
      assert.equal((await confirm({ token })).status, 204)
      assert.equal(await opens(next), true)
    })

    it('a refused new password does not use up the link, and does not reach the app', async () => {
      let calls = 0
      const { addUser, asked, confirm } = await start(stage, (users) => ({
        setPassword: (...args) => (calls++, users.setPassword?.(...args) ?? false),
      }))
      await addUser({ username: 'lovelace', email: 'lovelace@example.com' })
      const { token, code, request_id } = await asked('lovelace')
      for (const proof of [{ token }, { request_id, code }]) {
        const { status, json } = await confirm({ ...proof, new_password: 'lovelace-1815-12' })
        assert.deepEqual([status, json['errors'][0].loc], [422, ['body', 'new_password']])
      }
      assert.equal(calls, 0)
      assert.equal((await confirm({ request_id, code })).status, 204)
      assert.equal(calls, 1)
    })

    it('while setPassword runs, other confirmations of the same reset get 503', async () => {
      const [called, stored] = [createGate(), createGate()]
      let calls = 0
      const { addUser, asked, confirm, opens } = await start(stage, (users) => ({
        async setPassword(...args) {
          calls++
          called.open()
          await stored.opened
          return (await users.setPassword?.(...args)) ?? false
        },
      }))
      await addUser()
      const { token, code, request_id } = await asked()
      const first = confirm({ token })
      await called.opened
      for (const proof of [{ token }, { request_id, code }]) {
        const { status, headers } = await confirm({ ...proof, new_password: third })
        assert.deepEqual([status, headers.get('retry-after')], [503, '30'])
      }
      stored.open()
      assert.equal((await first).status, 204)
      assert.equal(calls, 1)
      assert.equal((await confirm({ token, new_password: third })).status, 403)
      assert.equal(await opens(next), true)
    })

    it('for simultaneous confirmations of a reset, setPassword is called only once', async () => {
      let calls = 0
      const { addUser, asked, confirm } = await start(stage, (users) => ({
        setPassword: (...args) => (calls++, users.setPassword?.(...args) ?? false),
      }))
      await addUser()
      const { token, code, request_id } = await asked()
      const answers = await Promise.all([
        confirm({ token }),
        confirm({ request_id, code }),
        confirm({ token }),
        confirm({ request_id, code }),
      ])
      const statuses = answers.map(({ status }) => status)
      assert.deepEqual(statuses.filter((status) => status === 204).length, 1, statuses.join())
      for (const status of statuses) assert.match(String(status), /204|403|503/)
      assert.equal(calls, 1)
    })

    it('if setPassword needs 30 s, a retry succeeds, and the first try gets 503', async () => {
      const [called, slow] = [createGate(), createGate()]
      let calls = 0
      const { addUser, asked, confirm, opens, clock } = await start(stage, (users) => ({
        async setPassword(...args) {
          if (calls++ === 0) {
            called.open()
            await slow.opened
          }
          return (await users.setPassword?.(...args)) ?? false
        },
      }))
      await addUser()
      const { token } = await asked()
      const first = confirm({ token })
      await called.opened
      clock.advance(30)
      assert.equal((await confirm({ token, new_password: third })).status, 204)
      slow.open()
      assert.equal((await first).status, 503)
      assert.deepEqual([await opens(third), await opens(next)], [true, false])
      assert.equal((await confirm({ token })).status, 403)
    })

    it('if a slow reset ends while its retry still runs, a third try gets 503', async () => {
      const gates = [createGate(), createGate()]
      const [called, again] = [createGate(), createGate()]
      let calls = 0
      const { addUser, asked, confirm, clock } = await start(stage, () => ({
        async setPassword() {
          const call = calls++
          ;(call === 0 ? called : again).open()
          await gates[call]?.opened
          return false
        },
      }))
      await addUser()
      const { token } = await asked()
      const first = confirm({ token })
      await called.opened
      clock.advance(30)
      const second = confirm({ token })
      await again.opened
      gates[0]?.open()
      assert.equal((await first).status, 503)
      assert.equal((await confirm({ token })).status, 503)
      assert.equal(calls, 2)
      gates[1]?.open()
      assert.equal((await second).status, 503)
    })

    it('after a process died in setPassword, sessions end, and a later retry works', async () => {
      const { tokens, asked, confirm, opens, open, clock } = await start(stage)
      const { accessToken: bearer } = await tokens()
      const { token } = await asked()
      const { database, kind } = stage
      const people = kind === 'SQLite' ? `${database}.people` : database
      const now = clock.now()
      const values = { kind, database, people, token, newPassword: third, now }
      assert.equal(await runKilledReset(values), 'SIGKILL')
      assert.equal(await opens(third), true, 'the app has stored it')
      assert.equal((await confirm({ token })).status, 503)
      await until(async () => (await open([], { bearer })).status === 401)

      clock.advance(30)
      assert.equal((await confirm({ token })).status, 204)
      assert.equal(await opens(next), true)
      assert.equal((await confirm({ token, new_password: third })).status, 403)
    })

    it('a reset link expires after three hours even if a process dies during a reset', async () => {
      const { addUser, asked, confirm, clock } = await start(stage)
      await addUser()
      const { token } = await asked()
      await stage.sql(`update mail_proof set claimed_until = ${clock.now() + 181 * 60_000}`)
      clock.advance(3 * 3_600)
      assert.equal((await confirm({ token })).status, 403)
    })

    it('a reset also ends a session that starts while the app stores the password', async () => {
      const [called, stored] = [createGate(), createGate()]
      const { addUser, asked, confirm, login, open } = await start(stage, (users) => ({
        async setPassword(...args) {
          called.open()
          await stored.opened
          return (await users.setPassword?.(...args)) ?? false
        },
      }))
      await addUser()
      const { token } = await asked()
      const confirmed = confirm({ token })
      await called.opened
      const { access_token: bearer } = (await login()).json
      assert.equal((await open([], { bearer })).status, 200)
      stored.open()
      assert.equal((await confirmed).status, 204)
      assert.equal((await open([], { bearer })).status, 401)
    })

    it('a reset replaces any hash, but gets 503 if the hash changes during the reset', async () => {
      let renewed: string | undefined
      const { addUser, asked, confirm, opens, writeHash } = await start(stage, (users) => ({
        async setPassword(person, hash, how) {
          if (renewed !== undefined) await writeHash(person.id, renewed)
          renewed = undefined
          return (await users.setPassword?.(person, hash, how)) ?? false
        },
      }))
      const id = await addUser()
      const { token } = await asked()
      // A login renews the hash, or the app changes the password, at the same moment.
      renewed = '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'
      const { status, headers } = await confirm({ token })
      assert.deepEqual([status, headers.get('retry-after')], [503, '1'])
      await writeHash(id, 'md5:0cc175b9c0f1b6a831c399e269772661')
      assert.equal((await confirm({ token })).status, 204)
      assert.equal(await opens(next), true)
    })

    it('the pages for a forgotten password also work for the app’s own users', async () => {
      const { addUser, asked, send, opens } = await start(stage)
      await addUser()
      const { token } = await asked()
      assert.equal((await send('GET', '/account/forgot-password')).status, 200)
      assert.equal((await send('GET', `/account/reset-password?token=${token}`)).status, 200)
      const form = { token, new_password: next }
      assert.equal((await send('POST', '/account/reset-password', { form })).status, 200)
      assert.equal(await opens(next), true)
    })

    it(
      'without setPassword, there are no reset endpoints, and the log says why',
      { skip },
      async () => {
        const infos: string[] = []
        const logger = {
          ...silentLogger,
          info: (_fields: object, text: string) => void infos.push(text),
        }
        const { addUser, login, request, settled, mails, document } = await start(
          stage,
          () => ({ setPassword: undefined }),
          { logger },
        )
        await addUser()
        assert.equal((await request('ada')).status, 404)
        assert.doesNotMatch(JSON.stringify(document), /password-resets|reset-password/)
        assert.equal(infos.filter((text) => text.includes('users has no setPassword')).length, 1)

        const { device_secret } = (await login()).json
        await login({ device_secret })
        await settled()
        assert.equal(mails.length, 0, 'the first login of a user, and a known device')
        await login()
        await settled()
        assert.deepEqual(
          mails.map(({ to, subject }) => `${to}: ${subject}`),
          ['ada@example.com: New login to your account at localhost:3000'],
        )
      },
    )

    it('Keystile does not send the notices that disabledNotices names', async () => {
      const { addUser, login, asked, confirm, settled, mails } = await start(stage, undefined, {
        disabledNotices: ['new_device'],
      })
      await addUser()
      await login()
      await login()
      const { token } = await asked()
      assert.equal((await confirm({ token })).status, 204)
      await settled()
      assert.deepEqual(
        mails.map(({ subject }) => subject),
        ['Set a new password for localhost:3000', 'Your password at localhost:3000 was changed'],
      )
    })

    it('without `mail`, the endpoints to reset app users’ passwords are absent', async () => {
      const { request } = await start(stage, undefined, { mail: undefined })
      assert.equal((await request('ada')).status, 404)
    })
  },
  ['people'],
)
