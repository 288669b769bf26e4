// The resolver of requests for mails, with a function of the test in the place of the app's lookup.
import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { until } from '../../../../../../tools/until.ts'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { createSeal } from '../../../base/seal.ts'
import { underLease } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openLease, type Lease } from '../../operations/lease/lease.ts'
import { openParameters } from '../outbox/new-mail.ts'
import type { MailRow } from '../outbox/tables.ts'
import { bindAppReset } from '../password-reset/store.ts'
import { proofKinds } from './kinds.ts'
import { createMailProofs, type MailProofs } from './proofs.ts'
import type { ProofPurpose, Resolution } from './purpose.ts'
import { startResolver } from './resolver.ts'
import type { MailProofRow } from './tables.ts'

const seal = createSeal('a key for tests', 'mails')

describe('the resolver of requests for mails', () => {
  let migrated: MigratedFile
  let database: Database
  let file: DatabaseSync
  let lease: Lease
  let resolver: ReturnType<typeof startResolver>
  let proofs: MailProofs
  let now: number
  let reads: number
  let lookups: string[]
  let warnings: string[]
  /** Lookups may wait for it. After the test it is open, because `close()` waits for lookups. */
  let gate: PromiseWithResolvers<void>
  let lookUp: (login: string) => Promise<Resolution | undefined>

  before(async () => {
    migrated = await openMigratedFile()
    ;({ database, file } = migrated)
    proofs = createMailProofs(database, { seal: () => seal, clock: { now: () => now } })
  })
  after(() => migrated.close())
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] })
    now = Date.UTC(2026, 10, 25)
    ;[reads, lookups, warnings] = [0, [], []]
    gate = Promise.withResolvers()
    lookUp = find
  })
  afterEach(async () => {
    gate.resolve()
    await resolver.close()
    await lease.close()
    mock.timers.reset()
    file.exec('delete from mail_proof; delete from mail; delete from rate; delete from lease')
  })

  const find = async (login: string): Promise<Resolution> => ({
    subject: login,
    mailbox: `${login}@example.com`,
    recipient: `${login}@example.com`,
  })
  const purpose: ProofPurpose = {
    ...proofKinds.passwordReset,
    lifetimeHours: 0.25,
    bind: bindAppReset,
    resolve({ login = '' }) {
      lookups.push(login)
      return lookUp(login)
    },
  }
  const request = (login: string): Promise<string> => proofs.request(purpose, { login }, login)
  async function requestMany(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, n) => request(`user-${n}`)))
  }

  /** Starts a resolver. */
  function open(purposes: readonly ProofPurpose[] = [purpose]): void {
    const warn = ({ err }: { readonly err?: unknown }): void =>
      void warnings.push((err as Error).message)
    const counted = {
      get reader() {
        reads++
        return database.reader
      },
    }
    lease = openLease(database, { underLease, logger: silentLogger })
    resolver = startResolver({
      database: counted,
      lease,
      purposes,
      seal: () => seal,
      pagesUrl: 'https://auth.example/account',
      clock: { now: () => now },
      logger: { ...silentLogger, warn },
    })
  }
  /** Starts a resolver whose process has the lease. */
  async function start(purposes?: readonly ProofPurpose[]): Promise<void> {
    open(purposes)
    await until(() => lease.isHeld)
  }
  /** Lets the resolver look for requests once, and closes it when it has resolved them. */
  async function resolveOnce(): Promise<void> {
    mock.timers.tick(500)
    await resolver.close()
  }
  /** Lets the resolver look for requests again and again. */
  async function tickUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      mock.timers.tick(500)
      await setImmediate()
    }
  }
  const rows = (): readonly MailProofRow[] =>
    file.prepare('select * from mail_proof').all() as unknown as MailProofRow[]
  const mails = (): readonly MailRow[] =>
    file.prepare('select * from mail').all() as unknown as MailRow[]

  it('a resolver stores a mail that has the link and the code, and expires with them', async () => {
    const id = await request('ada')
    now += 60_000
    lookUp = async (login) => ({ ...(await find(login)), data: { note: 'kept' } })
    await start()
    await resolveOnce()
    const [[proof], [mail]] = [rows(), mails()]
    assert.ok(proof && mail)
    assert.deepEqual(
      [mail.recipient, mail.subject, mail.template, mail.expires_at],
      ['ada@example.com', 'ada', 'password_reset', proof.expires_at],
    )
    const { link = '', code = '', expires_at } = openParameters(mail, seal) ?? {}
    assert.equal(expires_at, new Date(proof.expires_at).toISOString())
    const page = 'https://auth.example/account/reset-password'
    const [, token = ''] = link.split(`${page}?token=`)
    for (const presented of [{ token }, { requestId: id, code }])
      assert.deepEqual((await proofs.find(purpose, presented))?.data, { note: 'kept' })
    assert.equal(await proofs.find(purpose, { requestId: id, code: `${code}0` }), undefined)
  })

  it('a resolver without purposes leaves the requests to other processes', async () => {
    await request('ada')
    await start([])
    await resolveOnce()
    assert.deepEqual([reads, rows()[0]?.resolved_at], [0, null])
  })

  it('a request gets no mail if its purpose is unknown or its values are unreadable', async () => {
    await proofs.request({ ...purpose, purpose: 'unknown' }, { login: 'ada' }, 'ada')
    const other = createSeal('another key for tests', 'mails')
    const clock = { now: () => now }
    const stranger = createMailProofs(database, { seal: () => other, clock })
    await stranger.request(purpose, { login: 'bob' }, 'bob')
    await start()
    await resolveOnce()
    assert.deepEqual([lookups, mails(), warnings], [[], [], []])
    assert.deepEqual(
      rows().map(({ subject, resolved_at }) => [subject, resolved_at]),
      [
        [null, now],
        [null, now],
      ],
    )
  })

  it('a resolver looks up no user while another process has the lease', async () => {
    file.exec(`insert into lease values ('jobs', 'other', 1, ${Date.now() + 9_000})`)
    await request('ada')
    open()
    await resolveOnce()
    assert.deepEqual([reads, lookups], [0, []])
  })

  it('a resolver reads once, and writes once for each user, if fewer than 20 ask', async () => {
    await requestMany(2)
    await start()
    const write = mock.method(lease, 'write')
    await resolveOnce()
    assert.deepEqual([lookups.length, reads, write.mock.callCount()], [2, 1, 2])
  })

  it('a resolver looks up 20 users at the same time, and then the next ones', async () => {
    let [running, most] = [0, 0]
    lookUp = async () => {
      most = Math.max(most, ++running)
      await setImmediate()
      running--
      throw new Error('the app is away')
    }
    await requestMany(21)
    await start()
    mock.timers.tick(500)
    await until(() => lookups.length > 20)
    assert.deepEqual([lookups.length, new Set(lookups).size], [21, 21])
    assert.equal(most, 20)
  })

  /** Starts the resolver with 21 requests, whose lookups end when the gate opens. */
  async function holdLookups(): Promise<void> {
    lookUp = async (login) => {
      await gate.promise
      return find(login)
    }
    await requestMany(21)
    await start()
    mock.timers.tick(500)
    await until(() => lookups.length === 20)
  }

  it('close() of a resolver waits for running lookups, and starts no others', async () => {
    await holdLookups()
    const closed = resolver.close()
    gate.resolve()
    await closed
    assert.deepEqual([mails().length, lookups.length], [20, 20])
    mock.timers.tick(500)
    await resolver.close()
    assert.equal(lookups.length, 20)
  })

  it('a resolver that loses its lease looks up no more users, and logs nothing', async () => {
    await holdLookups()
    file.exec("update lease set fence = fence + 1, holder = 'other'")
    gate.resolve()
    await until(() => !lease.isHeld)
    await resolver.close()
    assert.deepEqual([lookups.length, mails(), warnings], [20, [], []])
  })

  it('a resolver writes once for all requests without a user, if there are any', async () => {
    lookUp = async () => undefined
    await requestMany(3)
    await start()
    const write = mock.method(lease, 'write')
    mock.timers.tick(500)
    await until(() => rows().every(({ resolved_at }) => resolved_at !== null))
    assert.equal(write.mock.callCount(), 1)
    await tickUntil(() => reads === 3)
    assert.equal(write.mock.callCount(), 1)
  })

  it('while lookups keep failing, a resolver logs only the first failure', async () => {
    await start()
    for (const round of [1, 2]) {
      lookUp = () => Promise.reject(new Error('the app is away'))
      await request(`user-${round}`)
      const before = lookups.length
      await tickUntil(() => lookups.length >= before + 3)
      assert.equal(warnings.length, round)
      lookUp = find
      await tickUntil(() => mails().length === round)
    }
    assert.deepEqual(new Set(warnings), new Set(['the app is away']))
  })

  it('a resolver gives up a lookup after 10 s, and other requests do not wait for it', async () => {
    mock.timers.reset()
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    lookUp = async (login) => {
      if (login === 'slow') await gate.promise
      return find(login)
    }
    for (const login of ['slow', 'ada']) await request(login)
    await start()
    mock.timers.tick(500)
    await until(() => mails().length === 1)
    mock.timers.tick(9_999)
    await setImmediate()
    assert.deepEqual([warnings, lookups.length], [[], 2])
    mock.timers.tick(1)
    await until(() => warnings.length === 1)
    assert.deepEqual(warnings, ['the app must look up a user within 10 s'])
    const closed = resolver.close()
    mock.timers.tick(10_000)
    await closed
  })
})
