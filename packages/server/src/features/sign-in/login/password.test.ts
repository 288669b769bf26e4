import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { hashSync } from '@node-rs/argon2'
import { ProblemError, silentLogger, systemClock, type Logger } from 'keystile/internal'
import { createIssuing } from '../../../../test-support/issuing.ts'
import { openPatientThreads } from '../../../../test-support/patient-threads.ts'
import { createSeal } from '../../../base/seal.ts'
import { ofUser } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import type { HashThreads } from '../../credentials/password/hash-threads.ts'
import { createPasswords, type Passwords } from '../../credentials/password/password.ts'
import { createSecondFactors } from '../../credentials/second-factors/second-factors.ts'
import { codeAt, makeTotpSecret } from '../../credentials/second-factors/totp.ts'
import { noNotices } from '../../mail/messages/notices.ts'
import { createAudit } from '../../operations/audit/audit.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import type { AuditEntry } from '../../operations/audit/entry.ts'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import type { Granted } from '../../tokens/oauth/grants/grant.ts'
import { passwordGrant } from '../../tokens/oauth/grants/password.ts'
import { createSessionStarter, type SessionStarter } from '../../tokens/sessions/sessions.ts'
import { accountDirectory } from '../../users/accounts/account-directory.ts'
import type { User } from '../../users/accounts/user.ts'
import { createUsers, type Users } from '../../users/accounts/users.ts'
import { checkedDirectory } from '../../users/directory/checked-directory.ts'
import { type Directory, type UserDirectory } from '../../users/directory/directory.ts'
import { parseUsername } from '../../users/directory/names.ts'
import type { ScopeRules } from '../../users/scopes/scopes.ts'
import { createKeptAttempts } from '../attempts/kept-attempts.ts'
import { createRememberedDevices } from '../attempts/remembered-devices.ts'
import { beginApp, confirmApp } from '../factors/store.ts'
import { createDevices, noDevices } from '../known-devices/devices.ts'
import { createAttempts } from './attempts.ts'
import { createCodes } from './codes.ts'
import { createLogin, type LoginOutcome, type LoginParts } from './login.ts'
import type { RefusalReason } from './methods/method.ts'
import { startLogin } from './store.ts'
import { createWrongCodes } from './wrong-codes.ts'

const password = 'correct horse battery staple'
const client = { ...firstParty, device: undefined, address: '192.0.2.1' }

/** What a login of several steps needs. */
function steps(
  database: Database,
): Pick<
  LoginParts<unknown>,
  | ('attempts' | 'codes' | 'remembered' | 'secondFactors' | 'secondFactor' | 'feed' | 'service')
  | ('wrongCodes' | 'mailSeal' | 'undo')
> {
  const seal = createSeal('a secret of tests', 'tests')
  const feed = { tail: async () => {} }
  const kept = createKeptAttempts(database, { seal, clock: systemClock })
  return {
    attempts: createAttempts(database, { kept, hasAccounts: true, clock: systemClock }),
    wrongCodes: createWrongCodes(database, { clock: systemClock }),
    codes: createCodes(database, {
      kept,
      feed,
      clock: systemClock,
      hasAccounts: true,
    }),
    feed,
    secondFactors: createSecondFactors(database, { seal, clock: systemClock }),
    remembered: createRememberedDevices(database, { days: 0, clock: systemClock }),
    secondFactor: 'off',
    service: 'auth.example',
    mailSeal: undefined,
    undo: undefined,
  }
}

type TestParts<U> = LoginParts<U> & { readonly scopes: ScopeRules }

function grantTo<U>(
  username: string,
  tried: string,
  parts: TestParts<U>,
  otp?: string,
): Promise<Granted> {
  const login = createLogin(parts)
  const verifier = { verify: () => assert.fail('no access token was sent') }
  return passwordGrant.issue({ username, password: tried, otp }, client, {
    ...parts,
    login,
    verifier,
  })
}

describe('byPassword', () => {
  let database: Database
  let feed: EventFeed
  let threads: HashThreads
  let passwords: Passwords
  let users: Users
  let user: User
  let made = 0
  const issuing = createIssuing()
  before(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock: systemClock, logger: silentLogger })
    threads = openPatientThreads()
    passwords = createPasswords(threads)
    users = createUsers(database, feed, systemClock, { ofUser })
  })
  after(async () => {
    await threads.close()
    await feed.close()
    await database.close()
  })
  beforeEach(async () => {
    const passwordHash = await passwords.hash(password)
    const username = parseUsername(`ada-${made++}`)!
    const created = await users.create(
      { username, email: undefined, passwordHash, scopes: [], roles: [], profile: {} },
      by,
    )
    assert.ok('user' in created)
    user = created.user
  })

  const rules = { declared: {}, defaults: [], roles: {} }
  const ofAccounts = (): Directory<User> =>
    checkedDirectory(accountDirectory(users, rules), { rules, logger: silentLogger })
  /** Logs in through the password grant, which starts the session. */
  const logIn = (
    changes: Partial<TestParts<User>> = {},
    tried = password,
    otp?: string,
  ): Promise<Granted> => {
    const parts = {
      directory: ofAccounts(),
      passwords,
      starter: createSessionStarter(database, { startLogin, issuing, clock: systemClock }),
      scopes: rules,
      audit: createAudit(database, systemClock),
      limits: noLimits,
      devices: noDevices,
      notices: noNotices,
      ...steps(database),
      clock: systemClock,
      logger: silentLogger,
      ...changes,
    }
    return grantTo(user.publicUser.username, tried, parts, otp)
  }

  /** Logs in. In the first try, `meanwhile` runs after the password is verified. */
  const login = (meanwhile?: () => Promise<unknown>, tried = password): Promise<unknown> => {
    let happening = meanwhile
    const interrupted: Passwords = {
      ...passwords,
      async verify(text, stored) {
        const isProved = await passwords.verify(text, stored)
        await happening?.()
        happening = undefined
        return isProved
      },
    }
    return logIn({ passwords: interrupted }, tried)
  }
  const refused = {
    name: 'OAuthError',
    code: 'invalid_grant',
    message: 'Incorrect username or password',
  }

  it('byPassword accepts the right password and refuses every other password', async () => {
    assert.ok(await login())
    await assert.rejects(login(undefined, `${password}x`), refused)
    await assert.rejects(login(undefined, 'x'.repeat(1_025)), refused)
  })

  it('if the hash queue is full, byPassword refuses a login and looks up no user', async () => {
    const full = new ProblemError('temporarily_unavailable', 'Too many logins at the moment')
    const parts = {
      directory: {
        ...ofAccounts(),
        findByLogin: () => assert.fail('the user must not be looked up'),
      },
      passwords: {
        ...passwords,
        requireRoom(address: string | undefined) {
          assert.equal(address, client.address)
          throw full
        },
      },
      limits: { ...noLimits, count: () => assert.fail('the login must not be counted') },
    }
    await assert.rejects(logIn(parts), full)
  })

  it('if the queue refuses a hash, byPassword refunds the login to the rate limit', async () => {
    const full = new ProblemError('temporarily_unavailable', 'Too many logins at the moment')
    const spent = { uses: [], at: 0 }
    let given = 0
    const parts = {
      passwords: { ...passwords, verify: () => Promise.reject(full) },
      limits: { ...noLimits, count: async () => spent, refund: async () => void given++ },
    }
    await assert.rejects(logIn(parts), full)
    assert.equal(given, 1)
  })

  it('a write of byPassword may wait a tenth as long as a hash would have to wait', async () => {
    const starter = createSessionStarter(database, { startLogin, issuing, clock: systemClock })
    const patience: (number | undefined)[] = []
    const parts = {
      passwords: { ...passwords, requireRoom: () => 500 },
      starter: {
        start(...[wanted, patienceMilliseconds]: Parameters<SessionStarter['start']>) {
          patience.push(patienceMilliseconds)
          return starter.start(wanted)
        },
      },
      limits: {
        ...noLimits,
        count(...[uses, patienceMilliseconds]: Parameters<Limits['count']>) {
          patience.push(patienceMilliseconds)
          return noLimits.count(uses)
        },
      },
    }
    assert.ok(await logIn(parts))
    assert.deepEqual(patience, [50, 50])
  })

  it('a device is known for the app that it logged in with, not for the one that replaces it', async () => {
    const subject = user.publicUser.id
    const parts = { ...steps(database), devices: createDevices('a key', systemClock) }
    /** Returns the secret of the app. */
    async function setUpApp(now: number): Promise<string> {
      const secret = makeTotpSecret()
      const sealed = parts.secondFactors.seal(subject, secret)
      const change = { subject, sealed, now, hasAccount: true }
      await database.write(beginApp, { ...change, by, sessionId: 's' })
      const nothing = { notice: undefined, noticeTo: { email: undefined, isVerified: false } }
      const values = {
        ...change,
        ...nothing,
        step: 1,
        codeIds: [],
        replacement: undefined,
        undo: undefined,
        by,
      }
      assert.deepEqual(await database.write(confirmApp, values), { outcome: 'confirmed' })
      return secret
    }

    const now = systemClock.now()
    const otp = codeAt(await setUpApp(now - 60_000), Math.floor(now / 30_000))
    const starter = createSessionStarter(database, { startLogin, issuing, clock: systemClock })
    const replacing: SessionStarter = {
      async start(wanted) {
        const started = await starter.start(wanted)
        await setUpApp(now)
        return started
      },
    }
    const { deviceSecret } = await logIn({ ...parts, starter: replacing }, password, otp)
    assert.equal(parts.devices.open(deviceSecret)?.appSince, now - 60_000)
  })

  it('byPassword refuses a disabled user with the same error as a wrong password', async () => {
    await users.change(user, { active: false }, by)
    await assert.rejects(login(), refused)
  })

  it('byPassword accepts a login even if another login replaces the hash meanwhile', async () => {
    assert.ok(
      await login(async () => users.replacePasswordHash(user, await passwords.hash(password))),
    )
  })

  it('byPassword refuses a login if the directory returns an outdated user', async () => {
    // The directory still returns the user as before; the stored user has changed.
    const stale = (found: User) => ({
      directory: { ...ofAccounts(), findByLogin: async () => found },
    })
    assert.ok(await logIn(stale(user)))
    await users.change(user, { scopes: ['users:read'] }, by)
    await assert.rejects(logIn(stale(user)), refused)

    const changed = await users.readBySubject(user.publicUser.id)
    assert.ok(changed && (await logIn(stale(changed))))
    await users.change(changed, { active: false }, by)
    await assert.rejects(logIn(stale(changed)), refused)
  })

  it('byPassword refuses a login if the password is changed meanwhile', async () => {
    await assert.rejects(
      login(async () =>
        users.changePassword(user, await passwords.hash('another one, as long'), by),
      ),
      refused,
    )
  })

  it('byPassword refuses a login if the user is deleted or disabled meanwhile', async () => {
    await assert.rejects(
      login(() => users.change(user, { active: false }, by)),
      refused,
    )
    await assert.rejects(
      login(() => users.delete(user, by)),
      refused,
    )
  })
})

/** A user in a table of the app. */
interface Person {
  readonly id: string
  readonly hash: string | null | undefined
  readonly active: boolean
}

describe('byPassword with users of the app', () => {
  let database: Database
  let threads: HashThreads
  let passwords: Passwords
  let hash: string
  let outdated: string
  const issuing = { ...createIssuing(), hasAccounts: false }
  before(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    threads = openPatientThreads()
    passwords = createPasswords(threads)
    hash = await passwords.hash(password)
    outdated = hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })
  })
  after(async () => {
    await threads.close()
    await database.close()
  })

  const refused = {
    name: 'OAuthError',
    code: 'invalid_grant',
    message: 'Incorrect username or password',
  }
  const rules = { declared: { a: 'A' }, defaults: [], roles: {} }

  interface Login {
    readonly directory?: Partial<UserDirectory<Person>>
    readonly logger?: Logger
    readonly tried?: string
    /** Receives each hash that a password is verified against. */
    readonly onVerify?: (stored: string | undefined) => void
    /** Receives each entry of the audit record. */
    readonly onRecord?: (entry: Omit<AuditEntry, 'at'>) => void
  }
  const login = (
    person: Person | undefined,
    { directory = {}, logger = silentLogger, ...more }: Login = {},
  ) => {
    const own: UserDirectory<Person> = {
      findByLogin: () => person,
      findBySubject: () => person,
      subject: ({ id }) => id,
      active: ({ active }) => active,
      scopes: () => [],
      passwordHash: (found) => found.hash,
      ...directory,
    }
    const parts = {
      directory: checkedDirectory(own, { rules, logger }),
      passwords: {
        ...passwords,
        verify(text: string, stored: string | undefined) {
          more.onVerify?.(stored)
          return passwords.verify(text, stored)
        },
      },
      starter: createSessionStarter(database, { startLogin, issuing, clock: systemClock }),
      scopes: rules,
      audit: {
        record(entry: Omit<AuditEntry, 'at'>) {
          more.onRecord?.(entry)
          return createAudit(database, systemClock).record(entry)
        },
      },
      limits: noLimits,
      devices: noDevices,
      notices: noNotices,
      ...steps(database),
      clock: systemClock,
      logger,
    }
    return grantTo('ada', more.tried ?? password, parts)
  }

  const outcomeOf = (
    person: Person | undefined,
    tried: string,
    starter = createSessionStarter(database, { startLogin, issuing, clock: systemClock }),
  ): Promise<LoginOutcome> => {
    const own: UserDirectory<Person> = {
      findByLogin: () => person,
      findBySubject: () => person,
      active: ({ active }) => active,
      scopes: () => [],
      passwordHash: (found) => found.hash,
    }
    const login = createLogin({
      directory: checkedDirectory(own, { rules, logger: silentLogger }),
      passwords,
      starter,
      audit: createAudit(database, systemClock),
      limits: noLimits,
      devices: noDevices,
      notices: noNotices,
      ...steps(database),
      clock: systemClock,
      logger: silentLogger,
    })
    const { device, address } = client
    const asked = { front: 'token', client, scopes: [], device, address } as const
    const values = { username: 'ada', password: tried }
    return login.proceed({ ...asked, deviceSecret: undefined, authSession: undefined }, values)
  }

  it('for every refused user, byPassword hashes once and writes one audit entry', async () => {
    const people: Readonly<Record<string, readonly [Person | undefined, string]>> = {
      unknown: [undefined, password],
      inactive: [{ id: '1', hash, active: false }, password],
      'without a hash': [{ id: '1', hash: null, active: true }, password],
      'with an undefined hash': [{ id: '1', hash: undefined, active: true }, password],
      'with an empty hash': [{ id: '1', hash: '', active: true }, password],
      'with a hash of another kind': [{ id: '1', hash: '$1$abc', active: true }, password],
      'with another password': [{ id: '1', hash, active: true }, 'another'],
    }
    for (const [title, [person, tried]] of Object.entries(people)) {
      let verified = 0
      const recorded: unknown[] = []
      const told = {
        onVerify: () => verified++,
        onRecord: (entry: unknown) => recorded.push(entry),
      }
      await assert.rejects(login(person, { tried, ...told }), refused, title)
      assert.equal(verified, 1, title)
      const by = { actor: 'nobody', address: client.address }
      const line = { event: 'login_refused', by, subject: person?.id, clientId: firstParty.id }
      assert.deepEqual(recorded, [line], title)
    }
    assert.ok(await login({ id: '1', hash, active: true }))
  })

  it('byPassword refuses a user who is disabled, removed or changed during hashing', async () => {
    const person = { id: '1', hash, active: true }
    const changes = {
      inactive: { ...person, active: false },
      removed: undefined,
      'given another password': { ...person, hash: await passwords.hash('another') },
    }
    for (const [title, after] of Object.entries(changes)) {
      let now: Person | undefined = person
      const directory = { findByLogin: () => now }
      const recorded: unknown[] = []
      const told = {
        onVerify: () => (now = after),
        onRecord: ({ subject }: { readonly subject?: string | undefined }) =>
          recorded.push(subject),
      }
      await assert.rejects(login(person, { directory, ...told }), refused, title)
      assert.deepEqual(recorded, ['1'], title)
    }
  })

  it('byPassword refuses a password over 1,024 bytes even with a bcrypt hash', async () => {
    // A hash of ninety digits, by libxcrypt 4.4.38.
    const long = '$2b$04$zURFbW97rGSFPw//GZTsJOxRlNvc2Th5VA.9AGZB/QVL74TtqLoHa'
    const digits = '0123456789'.repeat(103)
    assert.ok(await login({ id: '1', hash: long, active: true }, { tried: digits.slice(0, 1_024) }))
    await assert.rejects(
      login({ id: '1', hash: long, active: true }, { tried: digits.slice(0, 1_025) }),
      refused,
    )
  })

  it('byPassword replaces an outdated hash at the first login, and not at the second', async () => {
    let person: Person = { id: '1', hash: outdated, active: true }
    let saves = 0
    const directory: Partial<UserDirectory<Person>> = {
      findByLogin: () => person,
      async savePasswordHash(found, hash) {
        assert.equal(found, person)
        person = { ...found, hash }
        saves++
      },
    }
    await assert.rejects(login(person, { directory, tried: 'another' }), refused)
    assert.equal(saves, 0)
    for (let i = 0; i < 2; i++) assert.ok(await login(person, { directory }))
    assert.equal(saves, 1)
    assert.match(person.hash!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.equal(await passwords.verify(password, person.hash!), true)
  })

  it('byPassword accepts logins even if savePasswordHash() fails or runs in parallel', async () => {
    const person = { id: '1', hash: outdated, active: true }
    const logged: object[] = []
    const logger = { ...silentLogger, warn: (fields: object) => logged.push(fields) }
    const failures = [
      (_: Person, hash: string) => Promise.reject(new Error(`params: ${hash}`)),
      (_: Person, hash: string) => {
        throw new Error(`params: ${hash} ${outdated}`)
      },
      () => {
        throw Object.create(null)
      },
    ]
    for (const savePasswordHash of failures)
      assert.ok(await login(person, { directory: { savePasswordHash }, logger }))
    // The log has only the name of an error, because the message may contain a hash.
    const [asError, asAnything] = ['Error', 'the thrown value is not an Error'].map((reason) => ({
      subject: '1',
      reason,
    }))
    assert.deepEqual(logged, [asError, asError, asAnything])

    let now: Person = person
    const saving = {
      findByLogin: () => now,
      savePasswordHash: (_: Person, hash: string) => (now = { ...now, hash }),
    }
    assert.ok(
      (await Promise.all([1, 2, 3].map(() => login(person, { directory: saving })))).every(Boolean),
    )
  })

  it('byPassword accepts a login even if the outdated hash cannot be renewed now', async () => {
    const person = { id: '1', hash: outdated, active: true }
    const logger = { ...silentLogger, warn: () => assert.fail('there must be no warning') }
    let saves = 0
    const able = passwords
    passwords = { ...able, renew: () => Promise.reject(new Error('too many wait')) }
    assert.ok(await login(person, { directory: { savePasswordHash: () => saves++ }, logger }))
    passwords = { ...able, renew: () => assert.fail('the hash must not be renewed') }
    assert.ok(await login(person, { logger }))
    passwords = able
    assert.equal(saves, 0)
  })

  it('byPassword returns the reason for a refused login', async () => {
    const people: readonly (readonly [RefusalReason, Person | undefined, string])[] = [
      ['password_too_long', undefined, 'x'.repeat(1_025)],
      ['unknown_user', undefined, password],
      ['no_password', { id: '1', hash: null, active: true }, password],
      ['wrong_password', { id: '1', hash, active: true }, 'another'],
      ['inactive', { id: '1', hash, active: false }, password],
    ]
    for (const [reason, person, tried] of people)
      assert.deepEqual(await outcomeOf(person, tried), { outcome: 'refused', reason })
  })

  it('if the account changes twice before the session starts, the login is refused', async () => {
    let starts = 0
    const starter: SessionStarter = {
      async start() {
        starts++
        return undefined
      },
    }
    const outcome = await outcomeOf({ id: '1', hash, active: true }, password, starter)
    assert.deepEqual(outcome, { outcome: 'refused', reason: 'changed_meanwhile' })
    assert.equal(starts, 2)
  })

  it('byPassword verifies at most two hashes if the account changes at each lookup', async () => {
    const other = hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })
    let looks = 0
    let verified = 0
    const directory = {
      findByLogin: () => ({ id: '1', hash: looks++ % 2 === 0 ? outdated : other, active: true }),
    }
    await assert.rejects(login(undefined, { directory, onVerify: () => verified++ }), refused)
    assert.deepEqual([looks, verified], [4, 2])
  })
})
