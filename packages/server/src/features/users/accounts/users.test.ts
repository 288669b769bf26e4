import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RevocableToken } from 'keystile'
import { silentLogger } from 'keystile/internal'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { createIssuing } from '../../../../test-support/issuing.ts'
import { ofUser } from '../../../server/commands.ts'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import { startLogin } from '../../sign-in/login/store.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import type { EventTables } from '../../tokens/events/tables.ts'
import { createSessionStarter } from '../../tokens/sessions/sessions.ts'
import { parseEmail, parseUsername } from '../directory/names.ts'
import { accountDirectory } from './account-directory.ts'
import type { AccountTables } from './tables.ts'
import type { NewUser, User } from './user.ts'
import { createUsers, type Users } from './users.ts'

const start = Date.UTC(2026, 10, 25)

describe('createUsers', () => {
  let database: Database
  let feed: EventFeed
  let users: Users
  let now: number
  const clock = { now: () => now }
  const issuing = createIssuing()

  beforeEach(async () => {
    now = start
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock, logger: silentLogger })
    users = createUsers(database, feed, clock, { ofUser })
  })
  afterEach(async () => {
    await feed.close()
    await database.close()
  })

  const make = async (name: string, fields: Partial<NewUser> = {}): Promise<User> => {
    const created = await users.create(
      {
        username: parseUsername(name)!,
        email: parseEmail(`${name}@example.com`),
        passwordHash: 'hash',
        scopes: [],
        roles: [],
        profile: {},
        ...fields,
      },
      by,
    )
    assert.ok('user' in created)
    return created.user
  }
  /** Starts a session without a password, and returns the claims of its token. */
  const logIn = async ({ publicUser: { id } }: User): Promise<RevocableToken> => {
    const started = await createSessionStarter(database, { startLogin, issuing, clock }).start({
      subject: id,
      clientId: 'c',
      scopes: [],
      refreshes: true,
      by,
    })
    return {
      clientId: 'c',
      subject: id,
      sessionId: String(decodeJwtUnsafe(started!.accessToken).claims['sid']),
    }
  }
  const isOver = (token: RevocableToken): boolean => feed.revocations.isRevoked(token)

  it('users.change and users.delete end only the sessions of the given user', async () => {
    const [ada, bob, eve, dan] = [
      await make('ada'),
      await make('bob'),
      await make('eve'),
      await make('dan'),
    ]
    const tokens = [await logIn(ada), await logIn(bob), await logIn(eve), await logIn(dan)]
    assert.equal(await users.change(ada, { active: false }, by), 'changed')
    assert.equal(await users.delete(bob, by), 'deleted')
    assert.equal(await users.change(eve, { scopes: ['x'], endsSessions: true }, by), 'changed')
    assert.equal(await users.change(dan, { scopes: ['x'] }, by), 'changed')
    assert.deepEqual(tokens.map(isOver), [true, true, true, false])
    // Every session of a deleted subject is refused, even one with an unknown id.
    assert.equal(isOver({ subject: bob.publicUser.id, clientId: 'c', sessionId: 'another' }), true)
    assert.equal(isOver({ subject: ada.publicUser.id, clientId: 'c', sessionId: 'another' }), false)
  })

  it('the revocation of a deleted user is stored until 70 s after the last token', async () => {
    const ada = await make('ada')
    await logIn(ada)
    now += 1_000
    await logIn(ada)
    await users.delete(ada, by)
    const { expires_at } = await inTables<EventTables>(database.reader)
      .selectFrom('event')
      .select('expires_at')
      .where('kind', '=', 'subject')
      .executeTakeFirstOrThrow()
    assert.equal(expires_at - now, 1000 * (issuing.accessTokenSeconds + 70))
  })

  it('changePassword ends all sessions of the user except the calling session', async () => {
    const ada = await make('ada')
    const [one, other] = [await logIn(ada), await logIn(ada)]
    assert.equal(
      await users.changePassword(ada, 'new', { ...by, sessionId: one.sessionId }),
      'changed',
    )
    assert.deepEqual([one, other].map(isOver), [false, true])
    assert.equal(await users.changePassword(ada, 'newer', by), 'outdated')
    assert.equal(isOver(one), false)
  })

  it('passwordSession names the session that set the password, or is undefined', async () => {
    const ada = await make('ada')
    const read = async (): Promise<User> => (await users.readBySubject(ada.publicUser.id))!
    assert.equal((await read()).passwordSession, undefined)
    await users.changePassword(ada, 'new', { ...by, sessionId: 's' })
    await users.replacePasswordHash(await read(), 'anew')
    assert.equal((await read()).passwordSession, 's')
    await users.changePassword(await read(), 'reset', by)
    assert.equal((await read()).passwordSession, undefined)
  })

  it('users.change returns "outdated" if the account has changed since it was read', async () => {
    const ada = await make('ada', { profile: { n: 1 } })
    assert.equal(await users.replacePasswordHash(ada, 'new'), 'changed')
    assert.equal(await users.replacePasswordHash(ada, 'newer'), 'outdated')
    assert.equal(await users.replaceProfile(ada, { n: 2 }, by), 'changed')
    assert.equal(await users.replaceProfile(ada, { n: 3 }, by), 'outdated')
    assert.equal(await users.change(ada, { roles: ['r'] }, by), 'changed')
    assert.equal(await users.change(ada, { roles: ['s'] }, by), 'outdated')
    const bob = await make('bob')
    assert.equal(await users.change(bob, { active: false }, by), 'changed')
    assert.equal(
      await users.change(bob, { scopes: ['x'] }, by),
      'outdated',
      'the change would have enabled bob',
    )
    const found = (await users.readBySubject(ada.publicUser.id))!
    assert.deepEqual([found.passwordHash, found.profile, found.roles], ['new', { n: 2 }, ['r']])
  })

  it('a changed profile or password hash adds an event; an outdated change adds none', async () => {
    const ada = await make('ada')
    const countEvents = async (): Promise<number> => {
      const events = inTables<EventTables>(database.reader).selectFrom('event')
      return (await events.select('id').where('kind', '=', 'user').execute()).length
    }
    const counts = [await countEvents()]
    for (const profile of [{ n: 1 }, { n: 2 }]) {
      await users.replaceProfile(ada, profile, by)
      counts.push(await countEvents())
    }
    for (const hash of ['new', 'newer']) {
      await users.replacePasswordHash(ada, hash)
      counts.push(await countEvents())
    }
    const [before = 0] = counts
    assert.deepEqual(counts, [before, before + 1, before + 1, before + 2, before + 2])
  })

  it('users.change returns "outdated" if the caller’s stored rights have changed', async () => {
    const target = await make('target')
    const root = await make('root', { roles: ['admin'] })
    const give = async (author: User): Promise<string> =>
      users.change(
        (await users.readBySubject(target.publicUser.id))!,
        { roles: ['admin'] },
        by,
        author,
      )
    const changes = [
      { roles: ['admin', 'more'] },
      { roles: ['admin'], scopes: ['x'] },
      { active: false },
    ]
    for (const [i, change] of changes.entries()) {
      const author = await make(`author-${i}`, { roles: ['admin'] })
      await users.change(author, change, by)
      assert.equal(await give(author), 'outdated', JSON.stringify(change))
    }
    const deleted = await make('deleted', { roles: ['admin'] })
    await users.delete(deleted, by)
    assert.equal(await give(deleted), 'outdated')
    assert.deepEqual((await users.readBySubject(target.publicUser.id))!.roles, [])
    assert.equal(await give(root), 'changed')
  })

  it('users.delete deletes no user if the caller’s stored rights have changed', async () => {
    const target = await make('target')
    const author = await make('author', { roles: ['admin'] })
    await make('other-admin', { roles: ['admin'] })
    await users.change(author, { roles: [] }, by)
    assert.equal(await users.delete(target, by, author), 'outdated')

    const demoted = await users.readBySubject(author.publicUser.id)
    assert.equal(await users.delete(target, by, demoted), 'deleted')
  })

  it('users.delete erases everything about a user, but the name stays taken', async () => {
    const ada = await make('ada', { scopes: ['x'], roles: ['r'], profile: { n: 1 } })
    assert.equal(await users.delete(ada, by), 'deleted')
    assert.equal(await users.replaceProfile(ada, { nickname: 'Ada' }, by), 'outdated')
    assert.equal(await users.delete(ada, by), 'absent')
    assert.equal(await users.readBySubject(ada.publicUser.id), undefined)
    assert.equal(await users.findByLogin('ada'), undefined)
    assert.equal(await users.findByLogin('ada@example.com'), undefined)
    assert.deepEqual(await users.listAfter('', 9), [])
    const again = {
      username: parseUsername('ADA')!,
      email: parseEmail('again@example.com'),
      passwordHash: 'x',
      scopes: [],
      roles: [],
      profile: {},
    }
    assert.deepEqual(await users.create(again, by), { taken: 'username' })
    const stored = inTables<AccountTables>(database.reader).selectFrom('user').selectAll()
    assert.deepEqual(
      { ...(await stored.executeTakeFirst()) },
      {
        id: ada.publicUser.id,
        username: '',
        username_key: 'ada',
        email: null,
        email_key: null,
        email_verified_at: null,
        password_hash: '',
        password_session: null,
        scopes: '[]',
        roles: '[]',
        profile: '{}',
        created_at: start,
        disabled_at: null,
        deleted_at: start,
      },
    )
  })

  it('the last active administrator cannot be disabled, demoted or deleted', async () => {
    const [ada, bob] = [
      await make('ada', { roles: ['admin'] }),
      await make('bob', { roles: ['admin'] }),
    ]
    const odd = await make('odd', { roles: ['administrators'] })
    assert.equal(await users.change(bob, { active: false }, by), 'changed')
    assert.equal(await users.change(ada, { active: false }, by), 'last-administrator')
    assert.equal(await users.change(ada, { roles: [] }, by), 'last-administrator')
    assert.equal(await users.delete(ada, by), 'last-administrator')
    assert.equal(await users.change(ada, { scopes: ['x'] }, by), 'changed')
    assert.equal(await users.delete(odd, by), 'deleted')
    assert.equal(await users.change({ ...bob, active: false }, { active: true }, by), 'changed')
    assert.equal(await users.delete(ada, by), 'deleted')
  })

  it('findByLogin finds a user by complete name or e-mail address, and ignores case', async () => {
    const { publicUser } = await make('Ada', { profile: { id: 'mine', n: 1 } })
    for (const login of ['ADA', 'ada@EXAMPLE.com'])
      assert.deepEqual((await users.findByLogin(login))!.publicUser, publicUser, login)
    for (const login of ['', 'a', 'bob', 'ada@', '@', 'ada@other.example'])
      assert.equal(await users.findByLogin(login), undefined)
    assert.deepEqual(
      [publicUser.username, publicUser.email, publicUser.emailVerified],
      ['Ada', 'Ada@example.com', false],
    )
    assert.deepEqual(publicUser.createdAt, new Date(start))
    assert.notEqual(publicUser.id, 'mine')
    assert.deepEqual((await make('bob', { email: undefined })).publicUser.email, null)
    assert.equal((await make('eve', { emailVerified: true })).publicUser.emailVerified, true)
  })

  it('isTaken is true for the address of another user, but not for the user’s own', async () => {
    const ada = await make('ada')
    const [own, free] = [parseEmail('ada@example.com')!, parseEmail('new@example.com')!]
    assert.equal(await users.isTaken(own, ada.publicUser.id), false)
    assert.equal(await users.isTaken(own, 'another'), true)
    assert.equal(await users.isTaken(free, 'another'), false)
  })

  it('changeEmail returns "taken" if another request sets the address meanwhile', async () => {
    const ada = await make('ada')
    const failWith = (code: string): Promise<string> => {
      const error = Object.assign(new Error(code), { code })
      const failing = { ...database, write: () => Promise.reject(error) }
      return createUsers(failing, feed, clock, { ofUser }).changeEmail(
        ada,
        parseEmail('new@example.com')!,
        by,
      )
    }
    assert.equal(await failWith('23505'), 'taken') // unique_violation in PostgreSQL
    await assert.rejects(failWith('other'), { message: 'other' })
  })

  it('accountDirectory returns what is stored about a user, and stores a new hash', async () => {
    const created = await make('ada', { scopes: ['x'], roles: ['r'] })
    await users.changePassword(created, 'new', { ...by, sessionId: 's' })
    const rules = { declared: { x: 'X', y: 'Y' }, defaults: [], roles: { r: ['y'] } }
    const directory = accountDirectory(users, rules)
    const user = (await directory.findByLogin('ada'))!
    const { subject, active, scopes, passwordHash, username, email, passwordSession } = directory
    const read = [subject, active, passwordHash, username, email, passwordSession]
    assert.deepEqual(
      read.map((member) => member?.(user)),
      [created.publicUser.id, true, 'new', 'ada', 'ada@example.com', 's'],
    )
    assert.deepEqual(new Set(scopes(user)), new Set(['x', 'y']))
    assert.deepEqual(directory.rights?.(user), { scopes: '["x"]', roles: '["r"]' })
    await directory.savePasswordHash?.(user, 'renewed')
    assert.equal((await directory.findBySubject(created.publicUser.id))?.passwordHash, 'renewed')
  })

  it('a user object is frozen, and each read of its createdAt returns a new Date', async () => {
    const ada = await make('ada', { profile: { tags: ['a'] } })
    const user = (await users.readBySubject(ada.publicUser.id))!
    for (const part of [user, user.publicUser, user.roles, user.scopes, user.profile['tags']])
      assert.ok(Object.isFrozen(part))
    user.publicUser.createdAt.setTime(0)
    assert.deepEqual(user.publicUser.createdAt, new Date(start))
    assert.deepEqual(JSON.parse(JSON.stringify(user.publicUser)), {
      tags: ['a'],
      id: ada.publicUser.id,
      username: 'ada',
      email: 'ada@example.com',
      emailVerified: false,
      createdAt: new Date(start).toISOString(),
    })
  })
})
