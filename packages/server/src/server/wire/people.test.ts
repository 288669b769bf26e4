import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CallerIdentity } from '../../features/operations/audit/by.ts'
import type { EventFeed } from '../../features/tokens/events/events.ts'
import type { AppUsers } from '../../features/users/accounts/app-users.ts'
import type { User } from '../../features/users/accounts/user.ts'
import type { Users } from '../../features/users/accounts/users.ts'
import type { Directory } from '../../features/users/directory/directory.ts'
import { accountPeople, appPeople } from './people.ts'

/** A feed in which nothing happens. */
const feed: Pick<EventFeed, 'ageSeconds' | 'onUserChanged' | 'onGap'> = {
  ageSeconds: 0,
  onUserChanged: () => {},
  onGap: () => {},
}
const quietFeed = feed as unknown as EventFeed
const identityOf = (subject: string): CallerIdentity => ({ subject, sessionId: 's', clientId: 'c' })
const flows = { routes: [], mailPurposes: [], factorUndo: undefined, registration: undefined }

describe('the users of an app', () => {
  /** Creates the users of an app with one user, and counts the reads of this user. */
  function createPeople(directory: Pick<Directory<object>, 'isCached' | 'active'>) {
    const counted = { reads: 0 }
    const whole: Partial<Directory<object>> = {
      ...directory,
      findActive: async () => ({ read: ++counted.reads }),
    }
    const people = appPeople(whole as Directory<object>, { flows, feed: quietFeed })
    return { people, counted }
  }

  it('without `cached`, each request reads the user of the app', async () => {
    const { people, counted } = createPeople({ isCached: false, active: () => true })
    assert.deepEqual(await people.active.find('ada'), { read: 1 })
    assert.equal(people.active.recall(identityOf('ada')), undefined)
    await people.active.find('ada')
    assert.equal(counted.reads, 2)
    assert.equal(people.users, undefined)
  })

  it('with `cached`, guards read a user of the app again after a minute', async (t) => {
    let now = 1_000
    t.mock.method(performance, 'now', () => now)
    const { people } = createPeople({ isCached: true, active: () => true })
    const { find, recall } = people.active
    await find('ada')
    now += 59_999
    assert.deepEqual(recall(identityOf('ada'))?.user, { read: 1 })
    now += 1
    assert.deepEqual(await find('ada'), { read: 2 })
  })

  it('with `cached`, guards read a user again if active() is false or throws', async () => {
    let active = (): boolean => true
    const { people } = createPeople({ isCached: true, active: () => active() })
    const { find, recall } = people.active
    await find('ada')
    assert.ok(recall(identityOf('ada')))
    active = () => false
    assert.equal(recall(identityOf('ada')), undefined)
    active = () => {
      throw new Error('active() failed')
    }
    assert.equal(recall(identityOf('ada')), undefined)
  })
})

describe('the users with an account in Keystile', () => {
  const user = { active: true, profile: {}, publicUser: { username: 'ada' } } as unknown as User

  function createPeople(readBySubject: Users['readBySubject']) {
    return accountPeople({ readBySubject } as Users, {
      ...flows,
      directory: {} as Directory<User>,
      appUsers: {} as AppUsers<string, User['publicUser']>,
      feed: quietFeed,
    })
  }

  it('guards find only active accounts, and keep them in memory', async () => {
    const stored: Record<string, User> = { ada: user, bob: { ...user, active: false } }
    const { active, show } = createPeople(async (subject) => stored[subject])
    assert.equal(await active.find('ada'), user)
    assert.equal(active.recall(identityOf('ada'))?.user, user)
    assert.equal(active.recall(identityOf('ada'))?.shown, user.publicUser)
    for (const subject of ['bob', 'nobody']) assert.equal(await active.find(subject), undefined)
    assert.deepEqual(show(user), { username: 'ada' })
  })

  it('guards keep few users in memory if the profiles are large', async () => {
    const profile = { text: 'x'.repeat(1_100_000) }
    const { active } = createPeople(async () => ({ ...user, profile }))
    for (const subject of ['a', 'b', 'c']) await active.find(subject)
    assert.deepEqual(
      ['a', 'b', 'c'].map((subject) => active.recall(identityOf(subject)) !== undefined),
      [false, true, true],
    )
  })
})
