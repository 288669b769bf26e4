import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, beforeEach, describe, it, mock } from 'node:test'
import { silentLogger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import { createUserAnnouncer } from '../../tokens/events/user-announcer.ts'
import { createUserCache, type UserCacheParts } from './user-cache.ts'

interface Person {
  name: string
}

const hour = 60 * 60 * 1000

describe('createUserCache', () => {
  let folder: string
  let here: { database: Database; feed: EventFeed }
  /** Another process on the same database. */
  let there: { database: Database; feed: EventFeed }
  let time: number
  let now: number
  let people: Map<string, Person>
  let reads: number
  const clock = { now: () => now }

  const open = async (): Promise<typeof here> => {
    const database = await openDatabase(
      join(folder, 'keystile.db'),
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    return { database, feed: await openEventFeed(database, { clock, logger: silentLogger }) }
  }
  function cacheWith(parts: Partial<UserCacheParts<Person>> = {}) {
    const { recall, find } = createUserCache({
      feed: here.feed,
      read,
      show: ({ name }) => ({ shown: name }),
      ...parts,
    })
    // A verifier returns the same identity for each request with the same token.
    const identities = new Map<string, CallerIdentity>()
    const identityOf = (subject: string): CallerIdentity => {
      const identity = identities.get(subject) ?? { subject, sessionId: 's', clientId: 'c' }
      identities.set(subject, identity)
      return identity
    }
    return {
      recall: (subject: string) => recall(identityOf(subject))?.user,
      recallOf: recall,
      find,
    }
  }
  /** Reads a new copy each time, as a database does. */
  async function read(subject: string): Promise<Person | undefined> {
    reads++
    const person = people.get(subject)
    return person && { ...person }
  }
  const announce = ({ database }: typeof here, subject: string): Promise<void> =>
    createUserAnnouncer(database, clock)(subject)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-user-cache-'))
    time = 1e6
    now = Date.UTC(2026, 10, 27)
    mock.method(performance, 'now', () => time)
    // No read of the feed happens by itself.
    mock.timers.enable({ apis: ['setInterval'] })
    here = await open()
    there = await open()
  })
  beforeEach(async () => {
    await here.feed.tail()
    reads = 0
    people = new Map([['ada', { name: 'Ada' }]])
  })
  after(async () => {
    for (const { database, feed } of [here, there]) {
      await feed.close()
      await database.close()
    }
    mock.timers.reset()
    mock.restoreAll()
    rmSync(folder, { recursive: true })
  })

  it('the user cache keeps a user until an event reports a change of the user', async () => {
    const cache = cacheWith()
    assert.equal(cache.recall('ada'), undefined)
    assert.deepEqual(await cache.find('ada'), { name: 'Ada' })
    time += 3_999
    assert.equal(await cache.find('ada'), cache.recall('ada'))
    assert.equal(reads, 1)

    people.set('ada', { name: 'Countess' })
    await announce(there, 'eve')
    await announce(there, 'ada')
    assert.deepEqual(cache.recall('ada'), { name: 'Ada' })
    await here.feed.tail()
    assert.equal(cache.recall('ada'), undefined)
    assert.deepEqual(await cache.find('ada'), { name: 'Countess' })
  })

  it('when a process changes a user, it drops the user from its cache at once', async () => {
    const cache = cacheWith()
    await cache.find('ada')
    await announce(here, 'ada')
    assert.equal(cache.recall('ada'), undefined)
  })

  it('an event about a changed user revokes no token', async () => {
    await announce(there, 'ada')
    await here.feed.tail()
    const token = { subject: 'ada', sessionId: 'ada', clientId: 'ada', keyId: 'ada' }
    assert.equal(here.feed.revocations.isRevoked(token), false)
  })

  it('a user is not cached if an event about the user arrives during the load', async () => {
    for (const writer of [here, there]) {
      const reading = Promise.withResolvers<Person>()
      const cache = cacheWith({ read: () => reading.promise })
      const [first, second] = [cache.find('ada'), cache.find('ada')]
      await announce(writer, 'ada')
      await here.feed.tail()
      reading.resolve({ name: 'old' })
      assert.deepEqual(await Promise.all([first, second]), [{ name: 'old' }, { name: 'old' }])
      assert.equal(cache.recall('ada'), undefined)
    }
  })

  it('if a user is loaded again after an event, the cache ignores the older load', async () => {
    const [older, newer] = [Promise.withResolvers<Person>(), Promise.withResolvers<Person>()]
    const results = [older, newer]
    const cache = cacheWith({ read: () => results.shift()!.promise })
    const first = cache.find('ada')
    await announce(here, 'ada')
    const second = cache.find('ada')
    newer.resolve({ name: 'new' })
    await second
    older.resolve({ name: 'old' })
    await first
    assert.deepEqual(cache.recall('ada'), { name: 'new' })
  })

  it('the user cache keeps a loaded user even if another load of the user still runs', async () => {
    const second = Promise.withResolvers<Person>()
    const results = [Promise.resolve({ name: 'Ada' }), second.promise]
    const cache = cacheWith({ read: () => results.shift()! })
    const [first, other] = [cache.find('ada'), cache.find('ada')]
    assert.equal(await first, cache.recall('ada'))
    second.resolve({ name: 'Ada' })
    await other
  })

  it('if two loads of a user overlap, the user cache keeps the load that began first', async () => {
    const first = Promise.withResolvers<Person>()
    const results = [first.promise, Promise.resolve({ name: 'Ada' })]
    const cache = cacheWith({ read: () => results.shift()! })
    const [found, other] = [cache.find('ada'), cache.find('ada')]
    await other
    first.resolve({ name: 'Ada' })
    assert.equal(await found, cache.recall('ada'))
  })

  it('while the event feed is stale, the user cache is not used; then it is emptied', async () => {
    const cache = cacheWith()
    await cache.find('ada')
    time += 4_000
    assert.equal(cache.recall('ada'), undefined)
    await cache.find('ada')
    await cache.find('ada')
    assert.equal(reads, 3)
    await here.feed.tail()
    assert.equal(cache.recall('ada'), undefined)
    await cache.find('ada')
    assert.notEqual(cache.recall('ada'), undefined)
  })

  it('the user cache keeps no user if the event feed becomes stale during the load', async () => {
    const reading = Promise.withResolvers<Person>()
    const cache = cacheWith({ read: () => reading.promise })
    const found = cache.find('ada')
    time += 4_000
    await here.feed.tail()
    reading.resolve({ name: 'old' })
    await found
    assert.equal(cache.recall('ada'), undefined)
  })

  it('the user cache is emptied if some events may have expired unread', async () => {
    const cache = cacheWith()
    await cache.find('ada')
    now += hour / 2
    await here.feed.tail()
    assert.notEqual(cache.recall('ada'), undefined)

    await announce(there, 'ada')
    now += hour
    await here.feed.tail()
    assert.equal(cache.recall('ada'), undefined)
  })

  it('the user cache is empty after the database has lost events', async () => {
    const cache = cacheWith()
    await announce(there, 'eve')
    await here.feed.tail()
    await cache.find('ada')
    const file = new DatabaseSync(join(folder, 'keystile.db'), { timeout: 60_000 })
    file.exec("update event set id = id || '!'")
    file.close()
    await here.feed.tail()
    assert.equal(cache.recall('ada'), undefined)
  })

  it('the user cache does not remember that a user is missing or that a load failed', async () => {
    const cache = cacheWith()
    assert.equal(await cache.find('bob'), undefined)
    people.set('bob', { name: 'Bob' })
    assert.deepEqual(await cache.find('bob'), { name: 'Bob' })

    const failing = cacheWith({
      read: mock.fn(read, () => Promise.reject(new Error('no')), { times: 1 }),
    })
    await assert.rejects(failing.find('ada'), /no/)
    await failing.find('ada')
    assert.notEqual(failing.recall('ada'), undefined)
  })

  it('a user from memory comes with the object that the app gets', async () => {
    const { find, recallOf } = cacheWith()
    await find('ada')
    assert.deepEqual(recallOf({ subject: 'ada', sessionId: 's', clientId: 'c' })?.shown, {
      shown: 'Ada',
    })
  })

  it('the cache has no user for a token without a session, or with NUL in an id', async () => {
    const { find, recallOf } = cacheWith()
    await find('ada')
    const own = { subject: 'ada', clientId: 'ada' }
    for (const identity of [own, { ...own, sessionId: '\0' }, { ...own, clientId: '\0' }])
      for (let times = 0; times < 2; times++) assert.equal(recallOf(identity), undefined)
  })

  it('for up to 10,000 tokens, the cache reads the subject of each token only once', async () => {
    const { find, recallOf } = cacheWith()
    await find('ada')
    let lookUps = 0
    const identity = {
      get subject() {
        lookUps++
        return 'ada'
      },
      sessionId: 's',
      clientId: 'c',
    }
    const lookUpsOfRecall = (): number => {
      lookUps = 0
      assert.ok(recallOf(identity))
      return lookUps
    }
    assert.ok(lookUpsOfRecall() > 0)
    const recallOthers = (count: number): void => {
      for (let n = 0; n < count; n++) recallOf({ subject: 'ada', sessionId: 's', clientId: 'c' })
    }
    recallOthers(9_999)
    assert.equal(lookUpsOfRecall(), 0)
    recallOthers(1)
    assert.ok(lookUpsOfRecall() > 0)
  })

  it('after a user is loaded again, the same token gets the newly loaded user', async () => {
    const cache = cacheWith({ maxAgeMilliseconds: 1_000 })
    for (let loads = 1; loads <= 2; loads++) {
      await cache.find('ada')
      assert.ok(cache.recall('ada'))
      time += 999
      assert.ok(cache.recall('ada'))
      time += 1
      assert.equal(cache.recall('ada'), undefined)
      assert.equal(reads, loads)
    }
  })

  it('a cached user is frozen, so a handler cannot change it for the next request', async () => {
    const cache = cacheWith()
    await cache.find('ada')
    assert.throws(() => (cache.recall('ada')!.name = 'Mallory'), TypeError)
    assert.deepEqual(cache.recall('ada'), { name: 'Ada' })
  })

  it('the user cache reads a user again if the cached user is no longer active', async () => {
    let isActive = true
    const cache = cacheWith({ isActive: () => isActive })
    await cache.find('ada')
    isActive = false
    assert.equal(cache.recall('ada'), undefined)
    await cache.find('ada')
    assert.equal(reads, 2)
  })

  it('the user cache reads a user again after maxAgeMilliseconds', async () => {
    const cache = cacheWith({ maxAgeMilliseconds: 60_000 })
    await cache.find('ada')
    const loadedAt = time
    for (const [at, isKept] of [
      [59_999, true],
      [60_000, false],
    ] as const) {
      // Reads the feed often enough that it never becomes stale.
      for (const end = loadedAt + at; time < end; time = Math.min(end, time + 3_000))
        await here.feed.tail()
      assert.equal(cache.recall('ada') !== undefined, isKept)
    }
  })

  it('the user cache holds at most 10,000 users, and keeps a user that is read often', async () => {
    const cache = cacheWith({ read: async (subject) => ({ name: subject }) })
    const isKept = (n: number): boolean => cache.recall(`${n}`) !== undefined
    for (let n = 0; n <= 15_000; n++) {
      await cache.find(`${n}`)
      cache.recall('0')
    }
    assert.ok(isKept(0))
    assert.ok(!isKept(1))
    assert.ok(isKept(15_000))
    let kept = 0
    for (let n = 15_000; n >= 0; n--) if (isKept(n)) kept++
    assert.ok(kept <= 10_000, `${kept} users are in memory`)
  })

  it('when user 10,001 is added, the user cache drops the 5,000 users added first', async () => {
    for (const [count, dropped] of [
      [10_000, -1],
      [10_001, 4_999],
    ] as const) {
      const cache = cacheWith({ read: async (subject) => ({ name: subject }) })
      for (let n = 0; n < count; n++) await cache.find(`${n}`)
      assert.equal(cache.recall(`${dropped}`), undefined)
      assert.ok(cache.recall(`${dropped + 1}`))
    }
  })

  it('each generation of the user cache holds about two million characters', async () => {
    const cache = cacheWith({
      read: async (subject) => ({ name: subject }),
      sizeOf: () => 1_048_576,
    })
    for (const name of ['a', 'b', 'c', 'd']) await cache.find(name)
    assert.ok(cache.recall('a')) // it takes the place of the two users `c` and `d` in the young one
    assert.equal(cache.recall('b'), undefined)
  })

  it('an event or a feed gap removes a user even from the cache’s old generation', async () => {
    const forget: readonly (() => Promise<void>)[] = [
      () => announce(here, 'ada'),
      async () => {
        time += 4_000
        await here.feed.tail()
      },
    ]
    for (const remove of forget) {
      await here.feed.tail()
      const cache = cacheWith({ sizeOf: ({ name }) => (name === 'Ada' ? 0 : 2 ** 20) })
      await cache.find('ada')
      // Three users of this size fill a generation.
      for (const name of ['b', 'c', 'd']) people.set(name, { name })
      for (const name of ['b', 'c', 'd']) await cache.find(name)
      await remove()
      assert.equal(cache.recall('ada'), undefined)
    }
  })

  it('an event removes a user who stayed in memory while many others came', async () => {
    const cache = cacheWith({
      read: async (subject) => ({ name: subject }),
      sizeOf: () => 2 ** 20,
    })
    await cache.find('ada')
    for (const name of ['b', 'c', 'd', 'e', 'f', 'g']) {
      assert.ok(cache.recall('ada'))
      await cache.find(name)
    }
    await announce(here, 'ada')
    assert.equal(cache.recall('ada'), undefined)
  })

  it('users with large profiles cannot fill the memory through the user cache', async () => {
    const cache = cacheWith({
      read: async (subject) => ({ name: subject }),
      sizeOf: () => 65_536,
    })
    for (let n = 0; n < 200; n++) await cache.find(`${n}`)
    let kept = 0
    for (let n = 199; n >= 0; n--) if (cache.recall(`${n}`)) kept++
    assert.ok(kept <= 64, `${kept} users of 64 KiB are in memory`)
  })
})
