// Runs random histories of changes of a user in three processes on one database, and compares the
// users that they keep in memory with a model. After its own write, and after a read of the feed
// that began after the commit, a process must never show an older user.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { it, mock } from 'node:test'
import fc from 'fast-check'
import { silentLogger, systemClock } from 'keystile/internal'
import { describeOnBoth, type Stage } from '../../../../test-support/keystile.ts'
import { ofUser } from '../../../server/commands.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import { createUserCache, type UserLookup } from '../directory/user-cache.ts'
import type { User } from './user.ts'
import { createUsers, type Users } from './users.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
/** How many histories run on SQLite. PostgreSQL, which is slower, runs a quarter of them. */
const histories = Number(
  process.env['KEYSTILE_HISTORIES'] ?? (process.env['KEYSTILE_LONG'] ? 10_000 : 100),
)
const processes = [0, 1, 2] as const
type ProcessNumber = (typeof processes)[number]

const changes = ['profile', 'scopes', 'password', 'disable', 'enable'] as const
type Change = (typeof changes)[number]

/**
 * One step of a history. `begin` begins to load the user, and `end` ends the loads that have begun.
 * With `during`, a process reads the user or the feed while another one writes.
 */
type Step =
  | { readonly kind: 'write'; readonly by: ProcessNumber; readonly change: Change }
  | {
      readonly kind: 'during'
      readonly what: 'read' | 'tail'
      readonly by: ProcessNumber
      readonly at: ProcessNumber
      readonly change: Change
    }
  | { readonly kind: 'read' | 'tail' | 'begin' | 'end'; readonly at: ProcessNumber }
  | { readonly kind: 'outage' }

const at = fc.constantFrom(...processes)
const change = fc.constantFrom(...changes)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), by: at, change }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('during' as const),
      what: fc.constantFrom('read' as const, 'tail' as const),
      by: at,
      at,
      change,
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constantFrom('read', 'read', 'read', 'tail', 'begin', 'end'),
      at,
    }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'outage' }) },
)

/** One process: its accounts, its feed, and the users that it keeps in memory. */
interface Process {
  readonly users: Users
  readonly feed: EventFeed
  readonly cache: UserLookup<User>
  /** Lets the loads that have begun with `hold` end. */
  release(): void
  /** Makes loads wait for `release()`. */
  hold(): void
  close(): Promise<void>
}

let time = 0

async function openProcess(place: string): Promise<Process> {
  const database = await openDatabase(
    place,
    new URL('../../../server/writer-thread.ts', import.meta.url),
  )
  const feed = await openEventFeed(database, { clock: systemClock, logger: silentLogger })
  const users = createUsers(database, feed, systemClock, { ofUser })
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const cache = createUserCache<User>({
    feed,
    show: ({ publicUser }) => publicUser,
    async read(subject) {
      const opened = gate.promise
      const user = await users.readBySubject(subject)
      await opened
      return user?.active ? user : undefined
    },
  })
  return {
    users,
    feed,
    cache,
    release: () => gate.resolve(),
    hold() {
      gate.resolve()
      gate = Promise.withResolvers()
    },
    async close() {
      gate.resolve()
      await feed.close()
      await database.close()
    },
  }
}

/** Returns what a guard sees of a user, as one text. */
function stateOf(user: User | undefined): string {
  if (!user?.active) return 'not active'
  return JSON.stringify([user.profile, user.scopes, user.passwordHash])
}

let made = 0

async function run(running: readonly Process[], steps: readonly Step[]): Promise<void> {
  const [first] = running
  assert.ok(first)
  const name = `user${made++}`
  const created = await first.users.create(
    {
      username: { shown: name, key: name },
      email: undefined,
      passwordHash: 'h',
      scopes: [],
      roles: [],
      profile: {},
    },
    byOperator,
  )
  assert.ok('user' in created)
  const subject = created.user.publicUser.id
  const identity = { subject, sessionId: 's', clientId: 'c' }
  /** All states since the beginning. */
  const states = [stateOf(created.user)]
  /** The first state that a process may still show. */
  const required = running.map(() => 0)
  const isStale = running.map(() => false)
  /** When each process last read the feed. */
  const readAt = running.map(() => time)
  /** The loads of each process that have begun. */
  const begun = running.map((): Promise<unknown>[] => [])

  /** Notes that a process has read the feed, and so knows of the state with the number `known`. */
  function hasRead(at: ProcessNumber, known: number): void {
    required[at] = Math.max(required[at]!, known)
    isStale[at] = false
    readAt[at] = time
  }
  async function write(by: ProcessNumber, change: Change): Promise<void> {
    const { users } = running[by]!
    // After eight seconds without a read, a process reads the feed before it writes.
    if (time - readAt[by]! >= 8_000) hasRead(by, states.length - 1)
    const user = (await users.readBySubject(subject))!
    const next = `${states.length}`
    if (change === 'profile') await users.replaceProfile(user, { next }, byOperator)
    else if (change === 'password') await users.changePassword(user, next, byOperator)
    else if (change === 'scopes') await users.change(user, { scopes: [next] }, byOperator)
    else await users.change(user, { active: change === 'enable' }, byOperator)
    states.push(stateOf(await users.readBySubject(subject)))
    required[by] = states.length - 1
    // All other changes may end sessions, so they read the feed before they are answered.
    if (change !== 'profile') hasRead(by, states.length - 1)
  }
  async function tail(at: ProcessNumber): Promise<void> {
    const known = states.length - 1
    await running[at]!.feed.tail()
    hasRead(at, known)
  }
  async function read(at: ProcessNumber): Promise<void> {
    const { cache, release } = running[at]!
    release()
    await Promise.all(begun[at]!)
    const from = isStale[at] ? states.length - 1 : required[at]!
    const kept = cache.recall(identity)?.user
    assert.ok(!kept || !isStale[at], 'a process without news showed a user from memory')
    if (kept) assert.ok(states.slice(from).includes(stateOf(kept)), 'an old user was in memory')
    const found = stateOf(await cache.find(subject))
    // A change that was committed during this read may be in its result already.
    pending.push(() => assert.ok(states.slice(from).includes(found), 'an old user was found'))
  }
  /** What is checked after the step. */
  const pending: (() => void)[] = []

  for (const step of steps) {
    if (step.kind === 'write') await write(step.by, step.change)
    else if (step.kind === 'outage') {
      time += 4_000
      isStale.fill(true)
    } else if (step.kind === 'during') {
      const other = step.what === 'read' ? read(step.at) : tail(step.at)
      await Promise.all([other, write(step.by, step.change)])
    } else if (step.kind === 'read') await read(step.at)
    else if (step.kind === 'tail') await tail(step.at)
    else if (step.kind === 'begin') {
      running[step.at]!.hold()
      begun[step.at]!.push(running[step.at]!.cache.find(subject))
    } else running[step.at]!.release()
    for (const check of pending.splice(0)) check()
  }
  for (const at of processes) {
    await tail(at)
    await read(at)
    for (const check of pending.splice(0)) check()
  }
}

describeOnBoth('random changes of a user in three processes', (stage: Stage) => {
  const numRuns = stage.kind === 'SQLite' ? histories : Math.ceil(histories / 4)
  it(`no process returns outdated users in ${numRuns} runs (KEYSTILE_SEED=${seed})`, async (t) => {
    // Creates the database.
    const { keystile } = await stage.start()
    await keystile.close()
    // The feeds are read only by the steps of a history, and their age is that of the test.
    mock.method(performance, 'now', () => time)
    mock.timers.enable({ apis: ['setInterval'] })
    t.after(() => {
      mock.timers.reset()
      mock.restoreAll()
    })
    const running = await Promise.all(processes.map(() => openProcess(stage.database)))
    try {
      const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), (steps) =>
        run(running, steps),
      )
      await fc.assert(property, {
        seed: stage.kind === 'SQLite' ? seed : seed + 1,
        numRuns,
      })
    } finally {
      for (const { close } of running) await close()
    }
  })
})
