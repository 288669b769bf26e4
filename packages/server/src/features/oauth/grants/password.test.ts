import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { silentLogger, systemClock } from 'keystile/internal'
import { generateKey } from 'keystile/jwt'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { firstParty } from '../../clients/clients.ts'
import { openEventFeed, type EventFeed } from '../../events/events.ts'
import { openHashThreads, type HashThreads } from '../../password/hash-threads.ts'
import { createPasswords, type Passwords } from '../../password/password.ts'
import { createSessionStarter } from '../../sessions/sessions.ts'
import { parseUsername } from '../../users/names.ts'
import { createUsers, type User, type Users } from '../../users/users.ts'
import { grantByPassword, type LoginParts } from './password.ts'

const password = 'correct horse battery staple'

describe('grantByPassword', () => {
  let database: Database
  let feed: EventFeed
  let threads: HashThreads
  let passwords: Passwords
  let users: Users
  let user: User
  let made = 0
  const key = generateKey('ES256')
  const issuing = { issuer: 'i', audience: 'i', accessTokenSeconds: 60, signingKey: () => key }
  before(async () => {
    database = await openDatabase(':memory:', new URL('../../../server/writer-thread.ts', import.meta.url))
    feed = await openEventFeed(database, { clock: systemClock, logger: silentLogger })
    threads = openHashThreads(1)
    passwords = createPasswords(threads)
    users = createUsers(database, feed, systemClock)
  })
  after(async () => {
    await threads.close()
    await feed.close()
    await database.close()
  })
  beforeEach(async () => {
    const passwordHash = await passwords.hash(password)
    const username = parseUsername(`ada-${made++}`)!
    const created = await users.create({ username, email: undefined, passwordHash, scopes: [], roles: [], profile: {} })
    assert.ok('user' in created)
    user = created.user
  })

  /** A login, with what happens while a hash is made anew, because the stored one is taken for outdated. */
  const login = (meanwhile?: () => Promise<unknown>, tried = password): Promise<unknown> => {
    const slow: Passwords = {
      ...passwords,
      isOutdated: () => meanwhile !== undefined,
      async hash(text) {
        await meanwhile?.()
        return passwords.hash(text)
      },
    }
    const parts: LoginParts = {
      users,
      passwords: slow,
      sessions: createSessionStarter(database, issuing, systemClock),
      scopes: { declared: {}, defaults: [], roles: {} },
    }
    const form = new Map([
      ['username', user.publicUser.username],
      ['password', tried],
    ])
    return grantByPassword(form, firstParty, parts)
  }
  const refused = { name: 'OAuthError', code: 'invalid_grant', message: 'Incorrect username or password' }

  it('lets in whoever has the password, and nobody else', async () => {
    assert.ok(await login())
    await assert.rejects(login(undefined, `${password}x`), refused)
    await assert.rejects(login(undefined, 'x'.repeat(1_025)), refused)
  })

  it('answers a disabled user like a wrong password', async () => {
    await users.change(user, { active: false })
    await assert.rejects(login(), refused)
  })

  it('keeps the hash that it has made anew', async () => {
    assert.ok(await login(async () => {}))
    assert.notEqual((await users.findBySubject(user.publicUser.id))!.passwordHash, user.passwordHash)
    assert.ok(await login())
  })

  it('lets in where no hash can be made at the moment', async () => {
    assert.ok(await login(() => Promise.reject(new Error('too many wait'))))
  })

  it('lets in where another login has made the hash anew meanwhile', async () => {
    assert.ok(await login(async () => users.replacePasswordHash(user, await passwords.hash(password))))
  })

  it('refuses where the password became another meanwhile', async () => {
    await assert.rejects(
      login(async () => users.changePassword(user, await passwords.hash('another one, as long'))),
      refused,
    )
  })

  it('refuses where the user was deleted or disabled meanwhile', async () => {
    await assert.rejects(
      login(() => users.change(user, { active: false })),
      refused,
    )
    await assert.rejects(
      login(() => users.delete(user)),
      refused,
    )
  })
})
