import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { decodeJwtUnsafe, generateKey, verifyJwt } from 'keystile/jwt'
import { createIssuing } from '../../../../test-support/issuing.ts'
import { ofUser } from '../../../server/commands.ts'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import { startLogin } from '../../sign-in/login/store.ts'
import type { User } from '../../users/accounts/user.ts'
import { createUsers, type Users } from '../../users/accounts/users.ts'
import { parseUsername } from '../../users/directory/names.ts'
import { openEventFeed, type EventFeed } from '../events/events.ts'
import type { IssuedTokens } from './issuing.ts'
import { createSessionStarter } from './sessions.ts'
import type { SessionTables } from './tables.ts'

const clock = { now: () => Date.UTC(2026, 10, 25) }
const key = generateKey('ES256')
const issuing = { ...createIssuing(key), audience: 'a' }

describe('start()', () => {
  let database: Database
  let feed: EventFeed
  let users: Users
  let ada: User
  beforeEach(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock, logger: silentLogger })
    users = createUsers(database, feed, clock, { ofUser })
    const username = parseUsername('ada')!
    const made = {
      username,
      email: undefined,
      passwordHash: 'hash',
      scopes: [],
      roles: [],
      profile: {},
    }
    const created = await users.create(made, by)
    assert.ok('user' in created)
    ada = created.user
  })
  afterEach(async () => {
    await feed.close()
    await database.close()
  })

  const start = (
    subject: string,
    passwordHash?: string,
    { hasAccounts = true, refreshes = true } = {},
  ): Promise<IssuedTokens | undefined> => {
    const proved = passwordHash === undefined ? {} : { marks: { password: passwordHash } }
    const login = { subject, clientId: 'c', scopes: ['a', 'b'], refreshes, by, ...proved }
    return createSessionStarter(database, {
      startLogin,
      issuing: { ...issuing, hasAccounts },
      clock,
    }).start(login)
  }
  const countSessions = async (): Promise<number> =>
    (await inTables<SessionTables>(database.reader).selectFrom('session').selectAll().execute())
      .length

  it('sessions.start stores a session and signs its first token (RFC 9068 §2.2)', async () => {
    const started = await start(ada.publicUser.id, 'hash')
    const claims = verifyJwt(started!.accessToken, key, {
      issuer: 'i',
      audience: 'a',
      type: 'at+jwt',
      clock,
    })
    const [session] = await inTables<SessionTables>(database.reader)
      .selectFrom('session')
      .selectAll()
      .execute()
    assert.deepEqual(
      [
        claims.sub,
        claims['sid'],
        claims['client_id'],
        claims['scope'],
        claims['auth_time'],
        claims.exp,
      ],
      [
        session!.subject,
        session!.id,
        'c',
        'a b',
        clock.now() / 1000,
        session!.tokens_expire_at / 1000,
      ],
    )
    assert.equal(session!.tokens_expire_at, clock.now() + 60_000)
  })

  it('a session stores up to 200 characters of User-Agent without control characters', async () => {
    const devices: readonly (readonly [said: string | undefined, shown: string | null])[] = [
      [undefined, null],
      ['', null],
      [' \u0000\u007f ', null],
      [' Pho\u0000ne/1.0 ', 'Phone/1.0'],
      ['x'.repeat(201), 'x'.repeat(200)],
      [`${'x'.repeat(199)}😀`, `${'x'.repeat(199)}\ufffd`],
    ]
    for (const [device, shown] of devices) {
      const login = {
        subject: ada.publicUser.id,
        clientId: 'c',
        scopes: [],
        refreshes: true,
        device,
        by,
      }
      const { accessToken } = (await createSessionStarter(database, {
        startLogin,
        issuing,
        clock,
      }).start(login))!
      const id = decodeJwtUnsafe(accessToken).claims['sid'] as string
      const [session] = await inTables<SessionTables>(database.reader)
        .selectFrom('session')
        .selectAll()
        .where('id', '=', id)
        .execute()
      assert.equal(session!.device, shown)
    }
  })

  it('no session starts for a disabled, deleted or unknown user', async () => {
    const { id } = ada.publicUser
    await users.change(ada, { active: false }, by)
    assert.equal(await start(id), undefined)
    await users.delete(ada, by)
    assert.equal(await start(id), undefined)
    assert.equal(await start('nobody'), undefined)
    assert.equal(await countSessions(), 0)
  })

  it('no session starts if the password changed after it was verified', async () => {
    assert.equal(await start(ada.publicUser.id, 'another hash'), undefined)
    assert.equal(await countSessions(), 0)
  })

  it('no session starts if the user’s scopes or roles changed during the login', async () => {
    const starter = createSessionStarter(database, { startLogin, issuing, clock })
    const login = { subject: ada.publicUser.id, clientId: 'c', scopes: ['a'], refreshes: true, by }
    const stored = { scopes: JSON.stringify(ada.scopes), roles: JSON.stringify(ada.roles) }
    assert.equal(
      await starter.start({ ...login, rights: { ...stored, scopes: '["a"]' } }),
      undefined,
    )
    assert.equal(
      await starter.start({ ...login, rights: { ...stored, roles: '["admin"]' } }),
      undefined,
    )
    assert.equal(await countSessions(), 0)
    assert.ok(await starter.start({ ...login, rights: stored }))
  })

  it('a session can start for a user who exists only in the app', async () => {
    assert.ok(await start('theirs', 'their hash', { hasAccounts: false }))
    assert.equal(await countSessions(), 1)
  })

  it('a session without a refresh token expires together with its access token', async () => {
    const { id } = ada.publicUser
    assert.equal((await start(id, 'hash', { refreshes: false }))!.refreshToken, undefined)
    assert.deepEqual(
      await inTables<SessionTables>(database.reader)
        .selectFrom('refresh_token')
        .selectAll()
        .execute(),
      [],
    )
    const [session] = await inTables<SessionTables>(database.reader)
      .selectFrom('session')
      .selectAll()
      .execute()
    assert.equal(session!.idle_expires_at, clock.now())
  })
})
