import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { Kysely } from 'kysely'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { createSeal } from '../../../base/seal.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { noMeter } from '../../../feature/metric.ts'
import { underLease } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openSqliteFile } from '../../../storage/sqlite-connection.ts'
import { sqliteDialect } from '../../../storage/sqlite-dialect.ts'
import { purge } from '../../operations/housekeeping/housekeeping.ts'
import { openLease, type Lease } from '../../operations/lease/lease.ts'
import { createMetrics } from '../../operations/metrics/metrics.ts'
import { list as printMails } from './cli.ts'
import { explainFailure } from './failure.ts'
import { expiredMails, feature, mailTries } from './feature.ts'
import { insertMail } from './in-transaction.ts'
import { openParameters, prepareMail } from './new-mail.ts'
import { startSender, type OutgoingMail, type Sender } from './sender.ts'
import type { CountedAddressee } from './shares.ts'
import { listMails, ofUser } from './store.ts'
import { hasUnreadableMail } from './unreadable.ts'

const now = Date.UTC(2026, 10, 25)
const seal = createSeal('a secret for the seal of mails', 'mails')
const otherSeal = createSeal('another secret for this seal', 'mails')

describe('the mails of the outbox', () => {
  let migrated: MigratedFile
  let path: string
  let database: Database
  let file: DatabaseSync
  let lease: Lease
  let sender: Sender
  before(async () => {
    migrated = await openMigratedFile()
    ;({ path, database, file } = migrated)
  })
  after(() => migrated.close())
  afterEach(() => file.exec('delete from mail; delete from lease'))

  interface Fields {
    readonly tries?: number
    readonly deadAt?: number
    readonly seal?: typeof seal
  }
  /** Stores a mail to this recipient, with its name as the parameter. */
  function insert(recipient: string, fields: Fields = {}): string {
    const content = { parameters: { name: recipient }, seal: fields.seal ?? seal }
    const kind = { template: 'notice', lifetimeMilliseconds: 1e9 }
    const { id, template, sealed, lifetimeMilliseconds } = prepareMail(kind, content, now)
    file
      .prepare("insert into mail values (?, ?, 'ada', ?, ?, ?, ?, ?, ?, ?, null)")
      .run(
        id,
        template,
        recipient,
        sealed,
        now,
        now + lifetimeMilliseconds,
        fields.tries ?? 0,
        now,
        fields.deadAt ?? null,
      )
    return id
  }

  it('the sender of mails counts each try by its outcome, and logs each failed try', async () => {
    const metrics = createMetrics([mailTries])
    assert.equal(metrics.read([]).match(/^keystile_mail_tries_total\{.*\} 0$/gm)?.length, 3)
    const [sent, logged]: [OutgoingMail[], unknown[]] = [[], []]
    const log =
      (level: string) =>
      (fields: object): void =>
        void logged.push([level, fields])
    lease = openLease(database, { underLease, logger: silentLogger })
    const ids = [insert('good'), insert('busy'), insert('last', { tries: 22 })]
    ids.push(insert('often', { tries: 23 }), insert('gone'), insert('sealed', { seal: otherSeal }))
    sender = startSender({
      database,
      lease,
      seal,
      server: { host: 'mail.example', port: 587 },
      clock: { now: () => now },
      logger: { ...silentLogger, debug: log('debug'), error: log('error') },
      meter: metrics.meter,
      async deliver(mail) {
        sent.push(mail)
        if (mail.recipient === 'good') return
        throw Object.assign(new Error(), { responseCode: mail.recipient === 'gone' ? 550 : 450 })
      },
    })
    const count = (): number =>
      file.prepare('select id from mail where failure is null').all().length
    while (count() > 0 || logged.length < 5) await setImmediate()
    await sender.close()
    await lease.close()
    metrics.close()

    assert.deepEqual(sent[0], {
      id: ids[0],
      template: 'notice',
      subject: 'ada',
      recipient: 'good',
      parameters: { name: 'good' },
      createdAt: new Date(now),
    })
    assert.deepEqual(sent.map(({ recipient }) => recipient).toSorted(), [
      'busy',
      'gone',
      'good',
      'last',
      'often',
    ])
    const of = (n: number, failure: string, tries = 1): object => ({
      mail: ids[n],
      template: 'notice',
      failure,
      tries,
    })
    const dead = (n: number, failure: string, tries?: number): object => {
      const { cause, fix } = explainFailure(failure)
      const commands =
        '"keystile mail list" shows such mails, and "keystile mail retry" sends them again'
      const server = { host: 'mail.example', port: 587 }
      return { ...server, ...of(n, failure, tries), cause, fix: `${fix}; ${commands}` }
    }
    const byMail = (all: readonly unknown[]): readonly unknown[] =>
      all.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    assert.deepEqual(
      byMail(logged),
      byMail([
        ['debug', of(1, 'smtp_450')],
        ['debug', of(2, 'smtp_450', 23)],
        ['error', dead(3, 'smtp_450', 24)],
        ['error', dead(4, 'smtp_550')],
        ['error', dead(5, 'unreadable')],
      ]),
    )
    const text = metrics.read([])
    for (const [outcome, number] of [
      ['sent', 1],
      ['failed', 2],
      ['dead', 3],
    ] as const)
      assert.ok(text.includes(`keystile_mail_tries_total{outcome="${outcome}"} ${number}\n`), text)
    assert.deepEqual(
      sender.readGauges().map(({ gauge, value }) => [gauge.name, value]),
      [
        ['keystile_mails_waiting', 0],
        ['keystile_mails_dead', 0],
      ],
    )
    await setImmediate()
    assert.deepEqual(
      sender.readGauges().map(({ value }) => value),
      [2, 3],
    )
  })

  it('after a second failed try, the sender warns once a minute, and says when mails work again', async () => {
    const [warnings, ends]: [object[], object[]] = [[], []]
    let [time, isAway] = [now, true]
    const failures: object[] = []
    lease = openLease(database, { underLease, logger: silentLogger })
    sender = startSender({
      database,
      lease,
      seal,
      server: { host: 'mail.example', port: 587 },
      clock: { now: () => time },
      logger: {
        ...silentLogger,
        debug: (fields) => void failures.push(fields),
        warn: (fields, text) => void warnings.push({ ...fields, text }),
        info: (fields, text) => void ends.push({ ...fields, text }),
      },
      meter: noMeter,
      async deliver() {
        if (isAway) throw Object.assign(new Error('a reply'), { code: 'ECONNREFUSED' })
      },
    })
    /** Stores mails whose next try is the given one, and waits until all have failed. */
    const fail = async (...tries: readonly number[]): Promise<void> => {
      const until = failures.length + tries.length
      for (const number of tries) insert('ada', { tries: number - 1 })
      while (failures.length < until) await setImmediate()
    }
    await fail(1)
    assert.deepEqual(warnings, [])
    await fail(2, 3)
    assert.deepEqual(warnings, [
      {
        host: 'mail.example',
        port: 587,
        failure: 'ECONNREFUSED',
        cause: 'the mail server does not run at this host and port',
        fix: 'start the mail server, or correct host and port in the URL',
        text: 'mails cannot be sent; Keystile tries again',
      },
    ])
    time = now + 59_999
    await fail(2)
    assert.equal(warnings.length, 1)
    time = now + 60_000
    await fail(2)
    assert.equal(warnings.length, 2)

    isAway = false
    for (const id of [insert('ada'), insert('ada')])
      while (file.prepare('select id from mail where id = ?').get(id)) await setImmediate()
    // Waits until the sender knows what the database did.
    await sender.close()
    await lease.close()
    const text = 'mails can be sent again'
    assert.deepEqual(ends, [{ host: 'mail.example', port: 587, text }])
  })

  it('the metrics count each mail that expired before it was sent', async () => {
    const metrics = createMetrics([expiredMails])
    const { meter } = metrics
    const purgeAt = (time: number): Promise<void> =>
      purge(database, {
        steps: feature.cleanUp ?? [],
        options: {},
        now: time,
        meter,
        isClosed: () => false,
      })
    insert('waiting')
    insert('dead', { deadAt: now })
    for (const [time, expired] of [
      [now + 1e9, 0],
      [now + 1e9 + 1, 2],
      [now + 2e9, 2],
    ] as const) {
      await purgeAt(time)
      assert.match(metrics.read([]), new RegExp(`^keystile_mails_expired_total ${expired}$`, 'm'))
    }
    metrics.close()
  })

  it('the list of mails shows all dead letters before the mails that wait', async () => {
    const dead = { deadAt: now }
    const [a, b, c, d] = [insert('a'), insert('b', dead), insert('c'), insert('d', dead)]
    const list = async (limit: number): Promise<readonly string[]> =>
      (await listMails(database.reader, limit)).map(({ id }) => id)
    const dates = [a, c].toSorted()
    assert.deepEqual(await list(10), [...[b, d].toSorted(), ...dates])
    assert.equal((await list(3)).length, 3)
  })

  it('`keystile mail list` prints a line for each mail, or with --json an object', async () => {
    const printed: unknown[] = []
    const print = (value: unknown): void => void printed.push(value)
    const call = (flag?: string): Call<unknown> =>
      ({
        flags: { has: (asked: string) => asked === flag },
        terminal: { printRow: print, printJson: print, unread: new AbortController().signal },
        withDatabase: (work: (of: Database) => Promise<void>) => work(database),
      }) as Partial<Call<unknown>> as Call<unknown>
    const [dead, waiting] = [insert('a', { tries: 24, deadAt: now }), insert('b')]
    file.prepare("update mail set failure = 'smtp_450' where id = ?").run(dead)
    await printMails(call())
    const time = '2026-11-25T00:00:00.000Z'
    const expires_at = new Date(now + 1e9).toISOString()
    assert.deepEqual(printed, [
      [dead, 'dead', 'notice', 'a', time, '24 tries', '-', expires_at, 'smtp_450'],
      [waiting, 'waiting', 'notice', 'b', time, '0 tries', time, expires_at, '-'],
    ])
    printed.length = 0
    await printMails(call('json'))
    const fields = { template: 'notice', subject: 'ada', created_at: time }
    const a = { recipient: 'a', state: 'dead', tries: 24, failure: 'smtp_450', next_try_at: null }
    const b = { recipient: 'b', state: 'waiting', tries: 0, failure: null, next_try_at: time }
    assert.deepEqual(printed, [
      { id: dead, ...fields, ...a, expires_at },
      { id: waiting, ...fields, ...b, expires_at },
    ])
  })

  it('per share, a mailbox gets 3 mails at once, 6 within 3 h, then 1 per 6 h', async () => {
    const db = new Kysely<unknown>({
      dialect: sqliteDialect(openSqliteFile(path, 'write')),
    })
    let time = now
    type Share = CountedAddressee['share']
    const send = (recipient: string, share: Share = 'requested', isVerified = true) => {
      const kind = { template: 'notice', lifetimeMilliseconds: 1e9 }
      const mail = prepareMail(kind, undefined, now)
      const subject = recipient.toLowerCase().replace(/[+@].*/, '')
      return db
        .transaction()
        .execute((transaction) =>
          insertMail(transaction, mail, { subject, recipient, share, isVerified, now: time }),
        )
    }
    const three = ['Ada@example.com', 'ADA+1@example.com', 'ada@example.com', 'ada@example.com']
    const sent: boolean[] = []
    const shares: [Share, boolean][] = [
      ['requested', true],
      ['allowance', true],
      ['invitation', true],
    ]
    for (const share of ['notice', 'removal', 'undo', 'undone'] as const)
      shares.push([share, false], [share, true])
    for (const share of shares)
      for (const recipient of three) sent.push(await send(recipient, ...share))
    assert.deepEqual(
      sent,
      shares.flatMap(() => [true, true, true, false]),
    )
    assert.equal(await send('bob@example.com'), true)

    const later: boolean[] = []
    for (const hours of [0.999, 1, 2, 3, 5.999, 6]) {
      time = now + hours * 3_600_000
      later.push(await send('ada@example.com'))
    }
    assert.deepEqual(later, [false, true, true, true, false, true])

    await db
      .transaction()
      .execute((transaction) => ofUser.erase!(transaction, { subject: 'ada', mailboxes: [] }))
    insert('dead', { deadAt: now })
    const erased = await db.transaction().execute((transaction) => ofUser.restored!(transaction))
    assert.deepEqual(erased, { mails_deleted: 1 })
    assert.deepEqual(
      (await listMails(database.reader, 9)).map(({ recipient }) => recipient),
      ['dead'],
    )
    await db.destroy()
  })

  it('hasUnreadableMail is true only if a stored mail was encrypted with another key', async () => {
    const isFound = (): Promise<boolean> => hasUnreadableMail(database.reader, seal)
    assert.equal(await isFound(), false)
    insert('a')
    file.exec("insert into mail values ('0', 't', 's', 'r', null, 0, 1, 0, 0, null, null)")
    assert.equal(await isFound(), false)
    insert('b', { seal: otherSeal })
    assert.equal(await isFound(), true)
    file.exec('alter table mail rename to gone')
    assert.equal(await isFound(), false)
    file.exec('alter table gone rename to mail')
  })
})

it('the parameters of a mail can be decrypted only in their own row', () => {
  const parameters = { address: '192.0.2.7' }
  const kind = { template: 'notice', lifetimeMilliseconds: 1e9 }
  const mail = prepareMail(kind, { parameters, seal }, now)
  assert.deepEqual(openParameters(mail, seal), parameters)
  assert.equal(openParameters({ ...mail, id: 'other' }, seal), undefined)
  assert.equal(openParameters({ ...mail, template: 'other' }, seal), undefined)
  assert.equal(openParameters(mail, otherSeal), undefined)
  assert.deepEqual(openParameters(prepareMail(kind, undefined, now), seal), {})
})

describe('the rule about dead letters', () => {
  const find = (database?: object): readonly unknown[] | undefined =>
    feature.rules?.[0]?.find({ machine: { database } } as never, undefined as never)

  it('keystile doctor reports how many mails are dead letters', () => {
    assert.equal(feature.rules?.[0]?.find({} as never, undefined as never), undefined)
    assert.equal(find(), undefined)
    assert.equal(find({ kind: 'unavailable' }), undefined)
    assert.deepEqual([find({}), find({ deadMails: 0 })], [[], []])
    const fix = 'look at "keystile mail list", correct the cause, and run "keystile mail retry"'
    const found = (message: string): readonly object[] => [{ about: 'mails', message, fix }]
    assert.deepEqual(find({ deadMails: 1 }), found('must be sent; 1 is a dead letter'))
    assert.deepEqual(find({ deadMails: 2 }), found('must be sent; 2 are dead letters'))
  })
})
