// With many users, no statement may read or sort a large table. The flows of Keystile run once on a
// filled database. Then the databases explain each recorded statement.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { hashSync as argon2 } from '@node-rs/argon2'
import { hashSync as bcrypt } from '@node-rs/bcrypt'
import { createTestClock, password } from '../../packages/server/test-support/keystile.ts'
import {
  fillPostgres,
  fillSqlite,
  type ManyRows,
} from '../../packages/server/test-support/many-rows.ts'
import {
  copyMigratedFile,
  createMigratedDatabase,
} from '../../packages/server/test-support/migrated.ts'
import { howToGetPostgres, startPostgres } from '../../packages/server/test-support/postgres.ts'
import { largeTables, openPostgresJudge, openSqliteJudge, type Judge } from './plans.ts'
import type { RecordedStatement } from './record-statements.ts'

const isLong = process.env['KEYSTILE_LONG'] !== undefined
const rows: ManyRows = {
  users: isLong ? 1_000_000 : 1_000,
  now: createTestClock().now(),
  passwordHash: argon2(password, { memoryCost: 8, timeCost: 1, parallelism: 1 }),
  passwordHashOfOthers: bcrypt(password, 4),
  expired: isLong ? 2_000 : 300,
  endedOfOne: isLong ? 50_000 : 2_000,
}

const folder = mkdtempSync(join(tmpdir(), 'keystile-scale-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the flows on a database, and returns the statements in their order. */
async function recordFlows(database: string): Promise<readonly RecordedStatement[]> {
  const recorded = join(folder, `recorded-${Date.now()}`)
  const recorder = pathToFileURL(join(import.meta.dirname, 'record-statements.ts')).href
  const program = spawn(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, 'flows.ts')],
    {
      // The thread that writes to SQLite gets its options from this variable.
      env: {
        ...process.env,
        DATABASE: database,
        USERS: String(rows.users),
        RECORDED: recorded,
        NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${recorder}`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const [[code], stderr] = await Promise.all([once(program, 'exit'), readText(program.stderr)])
  assert.equal(code, 0, stderr)
  const lines = readFileSync(recorded, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as RecordedStatement)
}

/** What a judge may find, and why it is not a fault. */
const exceptions: readonly {
  readonly fault: 'scans' | 'sorts' | 'reads'
  readonly text: RegExp
  readonly because: string
}[] = [
  {
    fault: 'scans',
    text: /^select count\("id"\) .* from ("keystile"\.)?"(mail|app_event)"$/,
    because:
      'the start and /metrics count the rows that wait; a mail or an event is deleted when it ' +
      'has arrived',
  },
  {
    fault: 'scans',
    text: /^select "at" from "audit" order by "id" desc limit/,
    because: 'the scan ends after one row',
  },
  {
    fault: 'sorts',
    text: /from "session" where "subject" = \? and "ended_at" is null/,
    because: 'a user has at most 100 active sessions, so the sort is short',
  },
  {
    fault: 'sorts',
    text: /from "(mail_proof|former_email)" where "subject" = \?/,
    because: 'rate limits allow a user few proofs and few changes of the address',
  },
  {
    fault: 'sorts',
    text: /^update "event" set "seq" = \? \+ "fresh"\."position"/,
    because: 'it sorts events that have no number yet, at most 1,000',
  },
  {
    fault: 'reads',
    text: /from "keystile"\."event" where "seq" > \$1 and "expires_at" > \$2/,
    because:
      'a process that starts reads past the events that have expired; housekeeping deletes them ' +
      'after a day',
  },
]

/** Indexes without which SQLite makes no fault that this test can see. */
const unneeded = {
  audit_subject: 'only `keystile audit --subject` needs it',
  event_unnumbered: 'without it, SQLite sorts the events, which is one of the exceptions',
  former_email_key: 'without it, SQLite searches by the expiry, which reads more rows',
}

/** What the flows must do with the tables, so that the test cannot miss a statement unnoticed. */
const expected = {
  insert: `user session refresh_token audit event rate mail mail_proof former_email
    pending_registration app_event lease`,
  update: 'user session refresh_token event feed rate mail mail_proof app_event lease',
  'delete from': `session refresh_token audit event rate mail mail_proof former_email
    pending_registration app_event`,
  select: 'user session refresh_token audit event rate mail_proof former_email client',
}

/** Returns each statement twice: with its first and with its last values. */
function distinct(recorded: readonly RecordedStatement[]): readonly RecordedStatement[] {
  // The plan may depend on the values: the first read of the feed gets more rows than the last.
  const first = new Map<string, RecordedStatement>()
  const last = new Map<string, RecordedStatement>()
  for (const statement of recorded) {
    if (!/^(select|insert|update|delete|with) /.test(statement.text)) continue
    const names = Array.from(statement.text.matchAll(/"(\w+)"/g), ([, name]) => name ?? '')
    if (!names.some((name) => largeTables.has(name))) continue
    const seen = first.has(statement.text) ? last : first
    seen.set(statement.text, statement)
  }
  return [...first.values(), ...last.values()]
}

function requireAllFlows(recorded: readonly RecordedStatement[]): void {
  for (const [verb, tables] of Object.entries(expected))
    for (const table of tables.trim().split(/\s+/)) {
      const found = new RegExp(`^${verb}\\b.*?"${table}"`)
      const isRecorded = recorded.some(({ text }) => found.test(text))
      assert.ok(isRecorded, `no flow runs a statement "${verb} … ${table}"`)
    }
}

/** Returns what is wrong with the plans, except for the listed exceptions. */
async function judgeAll(
  judge: Judge,
  statements: readonly RecordedStatement[],
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const statement of statements) {
    const excused = exceptions.filter(({ text }) => text.test(statement.text))
    for (const found of await judge.judge(statement))
      if (!excused.some(({ fault }) => found.startsWith(fault)))
        faults.push(`${found}: ${statement.text.slice(0, 400)}`)
  }
  return faults
}

/**
 * Returns the exceptions that are none: the judge of SQLite finds no fault. It cannot see how many
 * rows a statement reads.
 */
async function findStale(
  judge: Judge,
  statements: readonly RecordedStatement[],
): Promise<readonly string[]> {
  const stale: string[] = []
  for (const { fault, text, because } of exceptions) {
    if (fault === 'reads') continue
    const found: string[] = []
    for (const statement of statements.filter((each) => text.test(each.text)))
      found.push(...(await judge.judge(statement)))
    if (!found.some((each) => each.startsWith(fault))) stale.push(because)
  }
  return stale
}

/** Prints the statements of the flows that a service runs most often. */
function printCounts(recorded: readonly RecordedStatement[]): void {
  const often = ['login', 'refresh', 'logout', 'GET /users/me']
  const ofBackground = /^select .*"feed"|"(lease|signing_key|setting|app_event)"|"seq" >/
  for (const flow of often) {
    // The last one was recorded without mails and durable events.
    const start = recorded.findLastIndex(({ text }) => text === `-- ${flow}`)
    const end = recorded.findIndex(({ text }, index) => index > start && text.startsWith('-- '))
    const texts = recorded.slice(start, end).map(({ text }) => text)
    const own = texts.filter((text) => /^[a-z]/.test(text) && !ofBackground.test(text))
    const count = (verb: string): number => own.filter((text) => text.startsWith(verb)).length
    const writes = count('insert') + count('update') + count('delete')
    console.log(`${flow}: ${count('select')} reads, ${writes} writes, ${count('commit')} commits`)
  }
}

const settings = ['shared_buffers=2GB', 'max_wal_size=16GB', 'checkpoint_timeout=1h']

const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'

describe('the statements of Keystile with many users', { skip }, () => {
  it('on SQLite, no statement scans or sorts a large table, and each index is needed', async () => {
    const file = await copyMigratedFile(join(folder, 'keystile.db'))
    fillSqlite(file, rows)
    const recorded = await recordFlows(file)
    requireAllFlows(recorded)

    const statements = distinct(recorded)
    const judge = openSqliteJudge(file)
    try {
      assert.deepEqual(await judgeAll(judge, statements), [])
      assert.deepEqual(await findStale(judge, statements), [])
      for (const index of judge.indexes) {
        if (Object.hasOwn(unneeded, index)) continue
        const faults = await judge.without(index, () => judgeAll(judge, statements))
        assert.ok(faults.length > 0, `no statement needs the index ${index}`)
      }
    } finally {
      await judge.close()
    }
  })

  it('no statement reads many rows of a large table on PostgreSQL', async (t) => {
    // At full size, a server of its own: the one that all tests share has little memory.
    const server = isLong ? await startPostgres({ settings }) : undefined
    const database = await createMigratedDatabase(server?.url)
    if (!database) return t.skip(`no PostgreSQL: ${howToGetPostgres}`)
    try {
      await fillPostgres(database.url, rows)
      const recorded = await recordFlows(database.url)
      requireAllFlows(recorded)
      if (isLong) printCounts(recorded)

      // Housekeeping has deleted the expired rows. Its statements are judged with new ones.
      await fillPostgres(database.url, { ...rows, part: 'expired' })
      // A read of the feed and a step of housekeeping take up to 1,000 rows.
      const options = { maxRows: isLong ? 1_000 : 350, isSmall: !isLong }
      const judge = await openPostgresJudge(database.url, options)
      try {
        const statements = distinct(recorded)
        assert.deepEqual(await judgeAll(judge, statements), [])
      } finally {
        await judge.close()
      }
    } finally {
      await database.drop()
      await server?.stop()
    }
  })
})
