// What the commands for backups print. test/cli/backup.test.ts runs the commands.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call } from '../../../feature/cli-command.ts'
import type { Contents } from './contents.ts'
import { printExamination } from './examination-report.ts'
import type { Examined } from './examination.ts'
import { printFinished, wireFinished } from './finish-report.ts'
import { requireSqliteFile } from './sqlite-file.ts'
import type { Finished } from './store.ts'

const now = Date.UTC(2026, 10, 25)
const contents: Contents = { schema: '0016', users: 3, sessions: 2, bytes: 4096, backedUpAt: now }

interface Printed {
  readonly lines: readonly string[]
  readonly json: unknown
  readonly failed: boolean
}

/** Calls a function as a command with these flags does, and returns what it prints. */
function printed(
  flags: readonly string[],
  print: (call: Call<unknown>) => void,
  clock = now,
): Printed {
  const lines: string[] = []
  let [json, failed]: [unknown, boolean] = [undefined, false]
  const terminal = {
    print: (line: string) => void lines.push(line),
    printJson: (value: unknown) => void (json = value),
    fail: () => void (failed = true),
  }
  const call = {
    operand: 'b.db',
    flags: { has: (flag: string) => flags.includes(flag) },
    terminal,
    clock: { now: () => clock },
  }
  print(call as unknown as Call<unknown>)
  return { lines, json, failed }
}

describe('the examination of a backup', () => {
  const examine = (examined: Examined, flags: readonly string[] = [], clock?: number): Printed =>
    printed(flags, (call) => printExamination(call, examined), clock)

  it('the examination of a backup prints its contents, its keys and a verdict', () => {
    const keys = [
      { id: 'a', state: 'current', signsUntil: undefined },
      { id: 'b', state: 'previous', signsUntil: now },
    ] as const
    const examined: Examined = { reached: 'rows', faults: [], contents, keys, missingMigrations: 2 }
    assert.deepEqual(examine(examined), {
      lines: [
        'b.db: backup of 2026-11-25T00:00:00.000Z, schema 0016, 3 users, 2 sessions, 4096 bytes, ' +
          '0 min old',
        'signing key a: current',
        'signing key b: previous, signs until 2026-11-25T00:00:00.000Z',
        'the backup is from an older version; a restore runs 2 migrations',
        'b.db is whole and can be restored',
      ],
      json: undefined,
      failed: false,
    })
    const json = { ok: true, file: 'b.db', faults: [], schema: '0016', users: 3, sessions: 2 }
    assert.deepEqual(examine(examined, ['json']), {
      lines: [],
      json: {
        ...json,
        bytes: 4096,
        backed_up_at: '2026-11-25T00:00:00.000Z',
        age_seconds: 0,
        missing_migrations: 2,
        keys: [
          { key_id: 'a', state: 'current', signs_until: null },
          { key_id: 'b', state: 'previous', signs_until: '2026-11-25T00:00:00.000Z' },
        ],
      },
      failed: false,
    })
  })

  it('the examination omits unknown facts, but says that a backup’s time is unknown', () => {
    assert.deepEqual(examine({ reached: 'file', faults: ['no file'] }), {
      lines: ['fault: no file', 'b.db cannot be restored'],
      json: undefined,
      failed: true,
    })
    assert.deepEqual(examine({ reached: 'file', faults: ['no file'] }, ['json']), {
      lines: [],
      json: { ok: false, file: 'b.db', faults: ['no file'] },
      failed: true,
    })
    const copied = { ...contents, backedUpAt: undefined }
    const examined = { faults: [], contents: copied, keys: [], missingMigrations: 0 }
    const { lines } = examine({ reached: 'rows', ...examined })
    assert.deepEqual(lines, [
      'b.db: backup of an unknown time, schema 0016, 3 users, 2 sessions, 4096 bytes',
      'b.db is whole and can be restored',
    ])
    const { json } = examine({ reached: 'tables', faults: [], contents: copied }, ['json'])
    const { backed_up_at, age_seconds } = json as Record<string, unknown>
    assert.deepEqual([backed_up_at, age_seconds], [null, null])
  })

  for (const [seconds, age] of [
    [-5, '0 min'],
    [3_599, '59 min'],
    [3_600, '1 h'],
    [172_799, '47 h'],
    [172_800, '2 d'],
  ] as const)
    it(`after ${seconds} s, the age of a backup is printed as ${age}`, () => {
      const { lines } = examine(
        { reached: 'tables', faults: [], contents },
        [],
        now + seconds * 1000 + 999,
      )
      assert.match(lines[0] ?? '', new RegExp(`, ${age} old$`))
    })
})

describe('the end of a restore', () => {
  const done: Finished = {
    backedUpAt: now,
    sessionsEnded: 4,
    keysRevoked: ['a', 'b'],
    deleted: { mails_deleted: 5, links_deleted: 6 },
  }
  const finish = (
    flags: readonly string[],
    signingKey?: string,
    finished: Finished = done,
  ): readonly string[] =>
    printed(flags, (call) => printFinished(call, finished, { signingKey } as never)).lines

  it('a restore prints how many sessions, keys, mails and links it has removed', () => {
    const [sessions, mails, ...others] = finish([])
    assert.equal(sessions, 'ended 4 sessions and replaced 2 signing keys')
    assert.match(mails ?? '', /^deleted 5 waiting mails and 6 links /)
    assert.deepEqual(others, [])
    assert.deepEqual(wireFinished({ ...done, backedUpAt: undefined }), {
      backed_up_at: null,
      sessions_ended: 4,
      revoked_key_ids: ['a', 'b'],
      mails_deleted: 5,
      links_deleted: 6,
    })
  })

  it('a restore prints how many recovery codes of how many users it has deleted', () => {
    const deleted = { recovery_codes_deleted: 12, users_without_recovery_codes: 2 }
    assert.match(
      finish([], undefined, { ...done, deleted }).at(-1) ?? '',
      /^deleted 12 recovery codes of 2 users, .*: these users must make new ones$/,
    )
  })

  it('if a restore with signingKey ends all sessions, it warns that some tokens stay valid', () => {
    const isWarning = (line: string): boolean => line.startsWith('Tokens that were issued after')
    assert.deepEqual(finish([], 'key').map(isWarning), [false, true, false])
    assert.deepEqual(finish(['keep-sessions'], 'key').map(isWarning), [false, false])
    assert.match(finish(['keep-sessions'])[0] ?? '', /^kept all sessions/)
  })
})

it('if backup or restore refuses a PostgreSQL URL, the message contains no password', () => {
  const advise = (source: unknown, verb: 'backup' | 'restore' = 'restore'): string => {
    try {
      return requireSqliteFile(source as string, verb)
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(advise('shop.db'), 'shop.db')
  assert.match(advise(':memory:'), /^the database must be a file/)
  assert.match(
    advise('postgres://ada:secret@db/shop?password=secret'),
    / --dbname='postgres:\/\/ada@db\/shop' /,
  )
  assert.match(
    advise('postgres://db/shop'),
    /^keystile restore is for SQLite files; this database is PostgreSQL at db\/shop\. .*-restore$/,
  )
  assert.match(advise('postgres://db/shop', 'backup'), /pg_dump .*\(or pg_basebackup, /)
  assert.match(advise('postgres://ada:secret@db:wrong/shop'), / --dbname='URL' /)
  assert.match(advise({ query() {}, connect() {} }), / --dbname='URL' /)
})
