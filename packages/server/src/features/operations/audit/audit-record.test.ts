import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { z } from 'zod'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  tokensOf,
  type Stage,
  type TestKeystile,
} from '../../../../test-support/keystile.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator } from './by.ts'
import { purgeAudit, recordAudit } from './store.ts'

const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const newPassword = 'a new engine of her own'
const scopes = { 'items:read': 'Read items' }
const roles = { reader: ['items:read'] }
const profile = z.object({ name: z.string().optional(), phone: z.string().optional() })
const remoteAddress = '192.0.2.7'

/** A line of the audit record, without its id, its time and empty columns. */
type Line = Readonly<Record<string, unknown>>

async function readRecord(stage: Stage): Promise<readonly Line[]> {
  const rows = await stage.sql('select * from audit order by id')
  return rows.map(({ id: _id, at: _at, ...row }) => {
    const filled = Object.entries(row).filter(([, value]) => value !== null)
    return Object.fromEntries(
      filled.map(([name, value]) => [name, name === 'detail' ? JSON.parse(String(value)) : value]),
    )
  })
}

interface Recorded extends TestKeystile {
  /** Runs some work, and returns the lines that it recorded. */
  linesOf(work: () => Promise<unknown>): Promise<readonly Line[]>
}

/** Starts Keystile with a clock that advances, so that the audit record has its lines in order. */
async function start(stage: Stage, options: Parameters<Stage['start']>[0] = {}): Promise<Recorded> {
  const clock = createTestClock()
  const started = await stage.start({ clock, scopes, ...options })
  return {
    ...started,
    async linesOf(work) {
      clock.advance(0.001)
      const before = (await readRecord(stage)).length
      await work()
      return (await readRecord(stage)).slice(before)
    },
  }
}

/** The session id of the tokens that `keystile.sessions.create` returned. */
function sessionOf({ accessToken }: { readonly accessToken: string }): string {
  return String(decodeJwtUnsafe(accessToken).claims['sid'])
}

/** Logs in a new user with the built-in role admin. */
async function logInAdministrator(
  stage: Stage,
  { addUser, login }: TestKeystile,
): Promise<ReturnType<typeof tokensOf>> {
  await addUser({ username: 'root', email: 'root@example.com' })
  await stage.sql(`update "user" set roles = '["admin"]' where username_key = 'root'`)
  return tokensOf((await login({ username: 'root' })).json)
}

describeOnBoth(
  'the audit record of sessions',
  (stage) => {
    it('the audit record has each login with user, session, client and IP address', async () => {
      const { addUser, send, linesOf } = await start(stage)
      const subject = await addUser()
      let sessionId = ''
      const lines = await linesOf(async () => {
        const { json } = await send('POST', '/token', {
          form: { username: 'ada', password },
          remoteAddress,
        })
        sessionId = tokensOf(json).sessionId
      })
      const actor = `user:${subject}`
      assert.deepEqual(lines, [
        {
          event: 'login',
          actor,
          subject,
          session_id: sessionId,
          client_id: 'first-party',
          address: remoteAddress,
        },
      ])
    })

    it('the audit record has each refused login, with the subject if the user exists', async () => {
      const { addUser, disable, login, send, linesOf } = await start(stage)
      const [ada, bob] = [
        await addUser(),
        await addUser({ username: 'bob', email: 'bob@example.com' }),
      ]
      await disable(bob)
      const refused = { event: 'login_refused', actor: 'nobody', client_id: 'first-party' }
      const form = { username: 'ada', password: 'wrong' }
      assert.deepEqual(await linesOf(() => send('POST', '/token', { form, remoteAddress })), [
        { ...refused, subject: ada, address: remoteAddress },
      ])
      assert.deepEqual(await linesOf(() => login({ username: 'bob' })), [
        { ...refused, subject: bob },
      ])
      assert.deepEqual(await linesOf(() => login({ username: password })), [refused])
      // A password of this length is refused for any user, so it is not recorded.
      assert.deepEqual(await linesOf(() => login({ password: 'x'.repeat(1_025) })), [])
    })

    it('the audit record has each refused client, with the id if the client exists', async () => {
      const { send, login, linesOf } = await start(stage)
      const refused = { event: 'client_refused', actor: 'nobody' }
      assert.deepEqual(
        await linesOf(() => login({ client_id: 'first-party', client_secret: 'guess' })),
        [{ ...refused, client_id: 'first-party' }],
      )
      const form = { token: 'x', client_id: 'unknown' }
      assert.deepEqual(await linesOf(() => send('POST', '/revoke', { form, remoteAddress })), [
        { ...refused, address: remoteAddress },
      ])
    })

    it('the audit record has each change of a client, and each wrong client secret', async () => {
      const { addClient, clients, send, linesOf } = await start(stage)
      const line = { actor: 'operator', client_id: 'orders' }
      assert.deepEqual(await linesOf(() => addClient()), [{ ...line, event: 'client_created' }])
      assert.deepEqual(await linesOf(() => clients.rotateSecret('orders', byOperator)), [
        { ...line, event: 'client_secret_rotated' },
      ])
      const form = { token: 'x', client_id: 'orders', client_secret: 'guess' }
      assert.deepEqual(await linesOf(() => send('POST', '/introspect', { form, remoteAddress })), [
        { event: 'client_refused', actor: 'nobody', client_id: 'orders', address: remoteAddress },
      ])
      assert.deepEqual(await linesOf(() => clients.disable('orders', byOperator)), [
        { ...line, event: 'client_disabled' },
      ])
      assert.deepEqual(await linesOf(() => clients.disable('orders', byOperator)), [])
      assert.deepEqual(
        await linesOf(() =>
          clients.create(
            { id: 'orders', grants: [], scopes: [], may: [], confidential: true },
            byOperator,
          ),
        ),
        [],
      )
    })

    it('the audit record has each session that ends because its user has too many', async () => {
      const { addUser, keystile, linesOf } = await start(stage)
      const subject = await addUser()
      const made = []
      for (let number = 0; number < 100; number++)
        made.push(sessionOf(await keystile.sessions.create({ subject })))
      const lines = await linesOf(() => keystile.sessions.create({ subject }))
      assert.deepEqual(
        new Set(lines.map(({ event, actor }) => [event, actor].join(' by '))),
        new Set(['login by app', 'session_ended by app']),
      )
      const ended = lines.find(({ event }) => event === 'session_ended')
      assert.ok(made.includes(String(ended?.['session_id'])))
      assert.equal(lines.length, 2)
    })

    it('the audit record has each reuse of a refresh token, with the ended session', async () => {
      const { tokens, refresh, send, linesOf } = await start(stage, { graceSeconds: 0 })
      const { subject, sessionId, refreshToken } = await tokens()
      assert.deepEqual(await linesOf(() => refresh(refreshToken)), [])
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const again = (): Promise<unknown> => send('POST', '/token', { form, remoteAddress })
      assert.deepEqual(await linesOf(again), [
        {
          event: 'refresh_reused',
          actor: 'nobody',
          subject,
          session_id: sessionId,
          client_id: 'first-party',
          address: remoteAddress,
        },
      ])
      assert.deepEqual(await linesOf(again), [], 'the session had ended')
    })

    it('the audit record has each ended session, and who ended it', async () => {
      const { tokens, login, keystile, send, linesOf } = await start(stage)
      const first = await tokens()
      const { subject } = first
      const [second, third, fourth] = [
        tokensOf((await login()).json),
        tokensOf((await login()).json),
        tokensOf((await login()).json),
      ]
      const ended = {
        event: 'session_ended',
        actor: `user:${subject}`,
        subject,
        client_id: 'first-party',
      }
      const revoke = (): Promise<unknown> =>
        send('POST', '/revoke', { form: { token: first.refreshToken }, remoteAddress })
      assert.deepEqual(await linesOf(revoke), [
        { ...ended, session_id: first.sessionId, address: remoteAddress },
      ])
      assert.deepEqual(await linesOf(revoke), [], 'it had ended')
      const end = (id: string): Promise<unknown> =>
        send('DELETE', `/users/me/sessions/${id}`, { bearer: third.accessToken, remoteAddress })
      assert.deepEqual(await linesOf(() => end(second.sessionId)), [
        { ...ended, session_id: second.sessionId, address: remoteAddress },
      ])
      assert.deepEqual(await linesOf(() => end('another')), [])
      assert.deepEqual(await linesOf(() => keystile.sessions.revoke(fourth.sessionId)), [
        { ...ended, actor: 'app', session_id: fourth.sessionId },
      ])
    })

    it('the audit record has one line if a request ends several sessions', async () => {
      const { tokens, login, keystile, send, linesOf } = await start(stage)
      const { subject, sessionId, accessToken } = await tokens()
      await login()
      const logOutEverywhere = (): Promise<unknown> =>
        send('DELETE', '/users/me/sessions', { bearer: accessToken, remoteAddress })
      const swept = { event: 'sessions_ended', subject }
      assert.deepEqual(await linesOf(logOutEverywhere), [
        {
          ...swept,
          actor: `user:${subject}`,
          session_id: sessionId,
          client_id: 'first-party',
          address: remoteAddress,
        },
      ])
      await login()
      const revokeAll = (): Promise<unknown> => keystile.sessions.revokeAll(subject)
      assert.deepEqual(await linesOf(revokeAll), [{ ...swept, actor: 'app' }])
      assert.deepEqual(await linesOf(revokeAll), [])
    })

    it('the audit record has each session that the app starts', async () => {
      const { addUser, keystile, linesOf } = await start(stage)
      const subject = await addUser()
      const [line] = await linesOf(() => keystile.sessions.create({ subject }))
      assert.deepEqual(
        [line!['event'], line!['actor'], line!['subject']],
        ['login', 'app', subject],
      )
    })
  },
  bothDirectories,
)

describeOnBoth('the audit record of accounts', (stage) => {
  it('the audit record has each change of a user’s own account', async () => {
    const { register, send, login, linesOf } = await start(stage, { profile })
    let subject = ''
    const registration = await linesOf(async () => {
      subject = (await register()).json['id'] as string
    })
    assert.deepEqual(registration, [{ event: 'user_created', actor: 'nobody', subject }])
    const { accessToken: bearer, sessionId } = tokensOf((await login()).json)
    await login()
    const by = {
      actor: `user:${subject}`,
      session_id: sessionId,
      client_id: 'first-party',
      address: remoteAddress,
    }
    const change = (current_password: string): Promise<unknown> =>
      send('POST', '/users/me/password', {
        bearer,
        remoteAddress,
        json: { current_password, new_password: newPassword },
      })
    assert.deepEqual(await linesOf(() => change('wrong')), [
      { event: 'password_refused', ...by, subject },
    ])
    assert.deepEqual(await linesOf(() => change(password)), [
      { event: 'password_changed', ...by, subject },
    ])
    const changeEmail = (current_password: string, new_email: string): Promise<unknown> =>
      send('POST', '/users/me/email', {
        bearer,
        remoteAddress,
        json: { current_password, new_email },
      })
    const mail = 'countess@example.com'
    assert.deepEqual(await linesOf(() => changeEmail('wrong', mail)), [
      { event: 'password_refused', ...by, subject },
    ])
    assert.deepEqual(await linesOf(() => changeEmail(newPassword, mail)), [
      { event: 'email_changed', ...by, subject },
    ])
    const patch = (json: object): Promise<unknown> =>
      send('PATCH', '/users/me', { bearer, json, remoteAddress })
    assert.deepEqual(await linesOf(() => patch({ name: 'Ada', phone: '1' })), [
      { event: 'profile_changed', ...by, subject, detail: { fields: ['name', 'phone'] } },
    ])
    assert.deepEqual(await linesOf(() => patch({ name: 'Ada', phone: '2' })), [
      { event: 'profile_changed', ...by, subject, detail: { fields: ['phone'] } },
    ])
    assert.deepEqual(await linesOf(() => patch({ name: 'Ada' })), [])
    assert.deepEqual(await linesOf(() => send('DELETE', '/users/me', { bearer, remoteAddress })), [
      { event: 'user_deleted', ...by, subject },
    ])
  })

  it('an audit line has at most 50 field names from a user, cut to 64 characters', async () => {
    const { register, login, send, linesOf } = await start(stage, {
      profile: z.record(z.string(), z.unknown()) as never,
    })
    await register()
    const bearer = tokensOf((await login()).json).accessToken
    const names = Array.from({ length: 60 }, (_, n) => `${n}`.padStart(2, '0') + 'x'.repeat(98))
    const json = Object.fromEntries(names.map((name) => [name, 1]))
    const [line] = await linesOf(() => send('PATCH', '/users/me', { bearer, json }))
    const { fields } = line!['detail'] as { readonly fields: readonly string[] }
    assert.equal(fields.length, 50)
    assert.deepEqual(new Set(fields.map(({ length }) => length)), new Set([64]))
  })

  it('the audit record has each change by an administrator, with the changed rights', async () => {
    const started = await start(stage, { roles })
    const { tokens, send, linesOf } = started
    const root = await logInAdministrator(stage, started)
    const { subject } = await tokens()
    const by = {
      actor: `user:${root.subject}`,
      session_id: root.sessionId,
      client_id: 'first-party',
      address: remoteAddress,
    }
    const patch = (json: object) => (): Promise<unknown> =>
      send('PATCH', `/users/${subject}`, { bearer: root.accessToken, json, remoteAddress })
    assert.deepEqual(await linesOf(patch({ roles: ['reader'], scopes: ['users:read'] })), [
      {
        event: 'grants_changed',
        ...by,
        subject,
        detail: { given: ['role:reader', 'users:read'], taken: [] },
      },
    ])
    assert.deepEqual(await linesOf(patch({ roles: [] })), [
      { event: 'grants_changed', ...by, subject, detail: { given: [], taken: ['role:reader'] } },
    ])
    assert.deepEqual(await linesOf(patch({ disabled: false })), [])
    assert.deepEqual(await linesOf(patch({ disabled: true })), [
      { event: 'user_disabled', ...by, subject },
    ])
    assert.deepEqual(await linesOf(patch({ disabled: true })), [])
    assert.deepEqual(await linesOf(patch({ disabled: false })), [
      { event: 'user_enabled', ...by, subject },
    ])
    const remove = (): Promise<unknown> =>
      send('DELETE', `/users/${subject}`, { bearer: root.accessToken, remoteAddress })
    assert.deepEqual(await linesOf(remove), [{ event: 'user_deleted', ...by, subject }])
    assert.deepEqual(await linesOf(remove), [])
  })

  it('the audit record has no line about a refused change', async () => {
    const started = await start(stage)
    const root = await logInAdministrator(stage, started)
    const { register, send, linesOf } = started
    assert.deepEqual(await linesOf(() => register({ username: 'root' })), [])
    const demote = (): Promise<unknown> =>
      send('PATCH', `/users/${root.subject}`, {
        bearer: root.accessToken,
        json: { disabled: true },
      })
    assert.deepEqual(await linesOf(demote), [])
    assert.deepEqual(
      await linesOf(() => send('DELETE', '/users/me', { bearer: root.accessToken })),
      [],
    )
  })
})

describeOnBoth('the audit record', (stage) => {
  it('a change fails if the audit record cannot be written', async () => {
    const started = await start(stage, { profile, graceSeconds: 0 })
    const { tokens, refresh, login, register, send, keystile } = started
    const root = await logInAdministrator(stage, started)
    const { subject, sessionId, accessToken: bearer, refreshToken } = await tokens()
    await refresh(refreshToken)
    const here = { bearer, json: { current_password: password, new_password: newPassword } }
    const there = { bearer: root.accessToken }
    await stage.sql('alter table audit rename to audit_elsewhere')
    const answers = [
      await login(),
      await login({ password: 'wrong' }),
      await login({ username: 'nobody' }),
      await login({ client_id: 'unknown' }),
      await refresh(refreshToken),
      await send('POST', '/revoke', { form: { token: refreshToken } }),
      await send('DELETE', `/users/me/sessions/${sessionId}`, { bearer }),
      await send('DELETE', '/users/me/sessions', { bearer }),
      await send('POST', '/users/me/password', here),
      await send('POST', '/users/me/password', {
        bearer,
        json: { ...here.json, current_password: 'wrong' },
      }),
      await send('PATCH', '/users/me', { bearer, json: { name: 'Ada' } }),
      await register({ username: 'bob', email: 'bob@example.com' }),
      await send('PATCH', `/users/${subject}`, { ...there, json: { scopes: ['items:read'] } }),
      await send('PATCH', `/users/${subject}`, { ...there, json: { disabled: true } }),
      await send('DELETE', `/users/${subject}`, there),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 500),
    )
    await stage.sql('alter table audit_elsewhere rename to audit')
    assert.deepEqual((await keystile.sessions.list(subject)).length, 1)
    const { json } = await send('GET', `/users/${subject}`, there)
    assert.deepEqual([json['disabled'], json['scopes'], json['name']], [false, [], undefined])
    assert.equal((await send('GET', '/users', there)).json['users'].length, 2)
    assert.equal((await login()).status, 200)
  })

  it('housekeeping deletes the oldest lines of the audit record first, in batches', async () => {
    const { login, addUser } = await start(stage)
    await addUser()
    const now = Date.UTC(2026, 10, 24)
    const database = await openDatabase(stage.database, writerThread)
    try {
      const entry = { event: 'login', by: { actor: 'app' } } as const
      for (let i = 0; i < 510; i++)
        await database.write(recordAudit, { ...entry, at: now - 10_000 - i })
      assert.deepEqual(await database.write(purgeAudit, { before: now - 10_000 }), { purged: 500 })
      assert.deepEqual(await database.write(purgeAudit, { before: now - 10_000 }), { purged: 9 })
      assert.deepEqual(await database.write(purgeAudit, { before: now - 10_000 }), { purged: 0 })
    } finally {
      await database.close()
    }
    await login()
    assert.equal((await readRecord(stage)).length, 3)
  })

  it('even the owner of the database cannot change the audit record', async () => {
    const { tokens } = await start(stage)
    await tokens()
    await assert.rejects(stage.sql(`update audit set actor = 'somebody else'`), /append-only/)
    assert.ok((await readRecord(stage)).every(({ actor }) => actor !== 'somebody else'))
  })

  it('the audit record and the log contain no password, token, hash or client secret', async () => {
    const logged: string[] = []
    const write = (...parts: readonly unknown[]): void => {
      logged.push(
        JSON.stringify(parts, (_name, value) =>
          value instanceof Error ? String(value.stack) : value,
        ),
      )
    }
    const logger = { debug: write, info: write, warn: write, error: write }
    const started = await start(stage, { logger, graceSeconds: 0, profile })
    const { tokens, login, refresh, send, readHash } = started
    const root = await logInAdministrator(stage, started)
    const { subject, accessToken: bearer, refreshToken } = await tokens()
    const hashes = [await readHash(subject)]
    const successor = (await refresh(refreshToken)).json['refresh_token'] as string
    await refresh(refreshToken)
    await login({ username: 'hunter2-typed-as-name' })
    await login({ password: 'hunter2-guessed' })
    await login({ client_id: 'hunter2-typed-as-client', client_secret: 'hunter2-secret' })
    await login({ client_id: 'first-party', client_secret: 'hunter2-secret' })
    const authorization = `Basic ${Buffer.from('first-party:hunter2-secret').toString('base64')}`
    await send('POST', '/token', { form: {}, headers: { authorization } })
    const again = tokensOf((await login()).json)
    const changed = { current_password: password, new_password: newPassword }
    await send('POST', '/users/me/password', {
      bearer: again.accessToken,
      json: { ...changed, current_password: 'hunter2-current' },
    })
    await send('POST', '/users/me/password', { bearer: again.accessToken, json: changed })
    await send('PATCH', '/users/me', {
      bearer: again.accessToken,
      json: { phone: 'hunter2-phone' },
    })
    await send('POST', '/users/me/email', {
      bearer: again.accessToken,
      json: { current_password: newPassword, new_email: 'hunter2@example.com' },
    })
    const { client_id, client_secret } = await started.addClient()
    const clientToken = await send('POST', '/token', {
      form: {
        grant_type: 'client_credentials',
        client_id: client_id!,
        client_secret: client_secret!,
      },
    })
    await login({ client_id: client_id!, client_secret: 'hunter2-guess' })
    const rotated = await started.clients.rotateSecret('orders', byOperator)
    hashes.push(await readHash(subject))
    await send('POST', '/revoke', { form: { token: again.refreshToken, client_id: 'other' } })
    await send('POST', '/revoke', { form: { token: again.refreshToken } })
    await send('PATCH', `/users/${subject}`, { bearer: root.accessToken, json: { disabled: true } })
    const record = JSON.stringify(await stage.sql('select * from audit'))
    assert.ok((await readRecord(stage)).length >= 14)
    assert.ok(logged.length > 0)
    const given = [
      client_secret!,
      rotated!,
      clientToken.json['access_token'] as string,
      bearer,
      again.accessToken,
      root.accessToken,
      refreshToken,
      successor,
      again.refreshToken,
    ]
    const secrets = [
      password,
      newPassword,
      'hunter2',
      ...hashes,
      ...hashes.map((hash) => hash.split('$').at(-1)!),
      ...given.flatMap((token) => [token, token.split('.').at(-1)!]),
      authorization.slice(6),
      'ada@example.com',
    ]
    for (const secret of secrets) {
      assert.ok(!record.includes(secret), `the record has ${secret}`)
      assert.ok(!logged.join('\n').includes(secret), `the log has ${secret}`)
    }
  })
})
