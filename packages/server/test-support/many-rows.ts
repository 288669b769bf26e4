// Fills a migrated database with as many rows as a service of that size has, by SQL alone. To make
// these rows through the endpoints would take days.
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** How many rows to insert, and what they contain. */
export interface ManyRows {
  readonly users: number
  /** The time of the fill, in milliseconds. Times of rows are before or after it. */
  readonly now: number
  readonly passwordHash: string
  /** The stored hash of the users from number `othersFrom` on. Default: the same hash. */
  readonly passwordHashOfOthers?: string
  /** Default: half of the users. */
  readonly othersFrom?: number
  /**
   * The number of expired rows in each table, which housekeeping deletes as soon as a server
   * starts. Default: 0.
   */
  readonly expired?: number
  /** `expired` inserts only the expired rows, after housekeeping has deleted them. Default: all. */
  readonly part?: 'all' | 'expired'
  /** The number of ended sessions of `user1`, as of a program that logs in for each request. */
  readonly endedOfOne?: number
}

export const sessionsOfUser = 5
export const tokensOfSession = 2
const tokensOfUser = sessionsOfUser * tokensOfSession

/** The number of rows in each table for this number of users, without expired ones. */
function countsOf(users: number): Readonly<Record<string, number>> {
  return {
    user: users,
    session: users * sessionsOfUser,
    refresh_token: users * sessionsOfUser * tokensOfSession,
    audit: users * 2,
    event: Math.ceil(users / 10),
    rate: Math.ceil(users / 5),
    mail: Math.ceil(users / 50),
    dropped_mail: Math.ceil(users / 50),
    mail_proof: Math.ceil(users / 20),
    // With fewer rows, PostgreSQL would rather read all of them than find 1,000 by the index.
    former_email: Math.ceil(users / 5),
    pending_registration: Math.ceil(users / 5),
    app_event: Math.ceil(users / 50),
  }
}

type Kind = 'user' | 'session' | 'token' | 'secret' | 'other'

/** The characters of an id, in their order. */
const alphabet = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
/** The first characters of an id grow with the number of the row. The others are the number. */
const growingCharacters = 6
const growingLimit = 64 ** growingCharacters
/** The number of characters after the growing ones. */
const afterGrowing = 16
/** The number of characters after the time in the id of a refresh token. */
const afterTime = 14

/** The second in which the first refresh token was made. New tokens get later ids. */
const firstSecond = Date.UTC(2025, 0, 1) / 1000
const tokensInASecond = 4

/**
 * Returns the distance between two ids. Together they cover most of the range of random ids, so
 * that new rows get ids between them.
 */
function stepOf(users: number, kind: Exclude<Kind, 'token'>): number {
  const most = { user: 1, session: sessionsOfUser, secret: tokensOfUser, other: sessionsOfUser }
  return Math.floor(growingLimit / (users * most[kind] * 1.2 + 10_000))
}

/**
 * The id of the row with this number, as long as an id of Keystile. The ids grow with the number:
 * with random ids, the fill would read and write other pages of the indexes for each row.
 */
export function idOf(users: number, kind: Kind, n: number): string {
  if (kind === 'token') {
    const seconds = firstSecond + Math.floor(n / tokensInASecond)
    return seconds.toString(16) + endOf(kind, n, afterTime)
  }
  const place = n * stepOf(users, kind)
  const growing = Array.from({ length: growingCharacters }, (_, index) =>
    alphabet.charAt(Math.floor(place / 64 ** (growingCharacters - 1 - index)) % 64),
  )
  return growing.join('') + endOf(kind, n, afterGrowing)
}

function endOf(kind: Kind, n: number, length: number): string {
  return kind.charAt(0) + String(n).padStart(length - 1, '0')
}

/** The same id in SQL. @param n an expression for the number */
function idSql(users: number, kind: Kind, n = 'n'): string {
  if (kind === 'token') {
    const seconds = `substr(time_hex(${firstSecond} + (${n}) / ${tokensInASecond}), 5)`
    return `(${seconds} || ${endSql(kind, n, afterTime)})`
  }
  const place = `((${n}) * ${stepOf(users, kind)})`
  const growing = Array.from({ length: growingCharacters }, (_, index) => {
    const bits = 6 * (growingCharacters - 1 - index)
    return `substr('${alphabet}', cast((${place} >> ${bits}) & 63 as integer) + 1, 1)`
  })
  return `(${growing.join(' || ')} || ${endSql(kind, n, afterGrowing)})`
}

function endSql(kind: Kind, n: string, length: number): string {
  const text = `('${'0'.repeat(length - 1)}' || (${n}))`
  return `'${kind.charAt(0)}' || substr(${text}, length(${text}) - ${length - 2})`
}

export function usernameOf(n: number): string {
  return `user${n}`
}

/** Whether a session of the fill has ended. */
export function isEnded(session: number): boolean {
  return session % endedEvery === 0
}

/** The unused refresh token of a session, as clients send it. */
export function refreshTokenOf(users: number, session: number): string {
  const n = session * tokensOfSession + tokensOfSession - 1
  return `${idOf(users, 'token', n)}.${idOf(users, 'secret', n)}${secretPadding}`
}

/** Each session whose number can be divided by this one has ended. */
const endedEvery = 20

const secretPadding = 'A'.repeat(21)

/** Fills a SQLite file. No other process may use it. */
export function fillSqlite(file: string, rows: ManyRows): void {
  const sqlite = new DatabaseSync(file)
  try {
    // A crash would destroy the file, which is then filled again.
    sqlite.exec(`pragma synchronous = off; pragma journal_mode = memory; pragma foreign_keys = off;
      pragma cache_size = -1000000; pragma temp_store = memory`)
    const deterministic = { deterministic: true }
    sqlite.function('hash_of', deterministic, (text) => hashOf(String(text)))
    sqlite.function('time_hex', deterministic, (at) => Number(at).toString(16).padStart(12, '0'))
    const numbers = (from: number, count: number): string =>
      `(with recursive counted(n) as
        (select ${from} union all select n + 1 from counted where n + 1 < ${from + count})
        select n from counted) as numbers`
    sqlite.exec('begin')
    for (const statement of statementsOf(rows, numbers)) sqlite.exec(statement)
    sqlite.exec('commit')
    sqlite.exec('pragma journal_mode = wal')
  } finally {
    sqlite.close()
  }
}

/** Fills a PostgreSQL database, and updates the statistics of the planner. */
export async function fillPostgres(url: string, rows: ManyRows): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // Without triggers, PostgreSQL does not look up the session of each refresh token.
    await client.query(`set search_path = filling, keystile; set synchronous_commit = off;
      set session_replication_role = replica; ${functionsOfPostgres}`)
    const numbers = (from: number, count: number): string =>
      `generate_series(${from}::bigint, ${from + count - 1}::bigint) as numbers(n)`
    for (const statement of statementsOf(rows, numbers)) await client.query(statement)
    await client.query('drop schema filling cascade')
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}

const functionsOfPostgres = `create schema filling;
  create function filling.hash_of(plain text) returns text language sql immutable as $$
    select translate(encode(sha256(plain::bytea), 'base64'), '+/=', '-_') $$;
  create function filling.time_hex(at bigint) returns text language sql immutable as $$
    select lpad(to_hex(at), 12, '0') $$;`

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]

/** Returns a time in the past, between a minute and `length` ago. It differs from row to row. */
function before(now: number, length: number, n = 'n'): string {
  return `(${now - minute} - (${n} * 7919) % ${Math.floor(length / 1000)} * 1000)`
}

/** A row id (UUIDv7) of this time. */
function rowId(at: string): string {
  const last = (count: number): string => {
    const padded = `('${'0'.repeat(12)}' || n)`
    return `substr(${padded}, length(${padded}) - ${count - 1})`
  }
  return `substr(time_hex(${at}), 1, 8) || '-' || substr(time_hex(${at}), 9, 4) || '-7' ||
    ${last(3)} || '-8000-' || ${last(12)}`
}

type IdSql = (kind: Kind, n?: string) => string
type UnlessExpired = (table: string, value: string, otherwise: number | string) => string
type Numbers = (from: number, count: number) => string

/** The statements that insert all rows, in SQL that both databases understand. */
function* statementsOf(rows: ManyRows, numbers: Numbers): Iterable<string> {
  const { users, now, passwordHash, passwordHashOfOthers = passwordHash } = rows
  const { expired = 0, part = 'all', othersFrom = users / 2 } = rows
  const counts = countsOf(users)
  const of = (table: string, times = 1): string => {
    const count = counts[table] ?? 0
    return part === 'all' ? numbers(0, count + expired * times) : numbers(count, expired * times)
  }
  /** Returns the first value for rows that have not expired, and the second one for the others. */
  const unlessExpired: UnlessExpired = (table, value, otherwise) =>
    `case when n < ${counts[table]} then ${value} else ${otherwise} end`
  const longAgo = now - 40 * day
  const id: IdSql = (kind, n) => idSql(users, kind, n)

  if (part === 'all')
    yield `insert into "user" (id, username, username_key, email, email_key, email_verified_at,
      password_hash, scopes, roles, profile, created_at)
    select ${id('user')}, 'user' || n, 'user' || n, 'user' || n || '@example.com',
      'user' || n || '@example.com', case when n % 3 = 0 then null else ${now - day} end,
      case when n < ${othersFrom} then '${passwordHash}' else '${passwordHashOfOthers}' end, '[]',
      case when n = 0 then '["admin"]' when n % 5 = 0 then '["member"]' else '[]' end,
      '{}', ${before(now, 365 * day)} from ${numbers(0, users)}`
  yield* sessionStatements(rows, id, of('session'), unlessExpired)
  const secret = `${id('secret')} || '${secretPadding}'`
  yield `insert into refresh_token (id, session_id, secret_hash, created_at, used_at, successor_id,
      sealed_successor, repeatable_until)
    select ${id('token')}, ${id('session', `n / ${tokensOfSession}`)},
      ${onlyUsed(secret, `hash_of(${secret})`)},
      ${before(now, 10 * day)}, ${onlyUsed(before(now, 10 * day))},
      ${onlyUsed(id('token', 'n + 1'))}, ${onlyUsed(`'${'s'.repeat(126)}'`)},
      ${onlyUsed(before(now, 10 * day))}
    from ${of('refresh_token', tokensOfSession)}`
  yield* recordStatements(rows, id, of, unlessExpired)
  yield* mailStatements(now, id, of, (table) => unlessExpired(table, `${now + day}`, longAgo))
}

/** The rows of the audit record, of the feed and of rate limits. */
function* recordStatements(
  { users, now }: ManyRows,
  id: IdSql,
  of: (table: string) => string,
  unlessExpired: UnlessExpired,
): Iterable<string> {
  const longAgo = now - 40 * day
  const inOrder = `(${now - 89 * day} + n * ${Math.floor((89 * day) / (users * 2))})`
  const audited = unlessExpired('audit', inOrder, now - 100 * day)
  yield `insert into audit (id, at, event, actor, subject, session_id, client_id, address, detail)
    select ${rowId(audited)}, ${audited}, 'login', 'user:' || ${id('user', `n % ${users}`)},
      ${id('user', `n % ${users}`)}, ${id('session')}, 'first-party', '203.0.113.' || n % 256, null
    from ${of('audit')}`
  // Ten percent of the events can still be read. The numbers of expired ones are below zero: a
  // server may have given the next numbers to other events.
  const ends = `case when n % 10 = 0 then ${now + hour} + n % 1000 else ${now - hour} - n end`
  yield `insert into event (id, seq, kind, value, created_at, expires_at)
    select ${rowId(before(now, day))}, ${unlessExpired('event', 'n + 1', '-n')},
      case when n % 2 = 0 then 'session' else 'user' end, ${id('session')},
      ${before(now, day)}, ${unlessExpired('event', ends, longAgo)} from ${of('event')}`
  yield `update feed set seq = (select coalesce(max(seq), 0) from event)`
  yield `insert into rate (key, tat) select hash_of('rate' || n),
      ${unlessExpired('rate', `${now + hour} + n % ${hour}`, longAgo)} from ${of('rate')}`
}

/** Returns a value for used refresh tokens, and another for the unused one of each session. */
function onlyUsed(value: string, otherwise = 'null'): string {
  const isUnused = `n % ${tokensOfSession} = ${tokensOfSession - 1}`
  return `case when ${isUnused} then ${otherwise} else ${value} end`
}

function* sessionStatements(
  { users, now, endedOfOne = 0, part }: ManyRows,
  id: IdSql,
  all: string,
  unlessExpired: UnlessExpired,
): Iterable<string> {
  const created = unlessExpired('session', before(now, 10 * day), now - 40 * day)
  const insert = `insert into session (id, subject, client_id, scopes, device, created_at,
    last_used_at, tokens_expire_at, expires_at, idle_expires_at, late_retry_at, ended_at)`
  const device =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0'
  yield `${insert} select ${id('session')}, ${id('user', `n % ${users}`)}, 'first-party', '[]',
      '${device}', at, at, at + ${10 * minute}, at + ${30 * day},
      case when ended then ${now - hour} else at + ${14 * day} end, null,
      case when ended then ${now - hour} end
    from (select n, ${created} as at, n % ${endedEvery} = 0 and
      ${unlessExpired('session', '1', 0)} = 1 as ended from ${all}) as made`
  if (endedOfOne > 0 && part !== 'expired')
    yield `${insert} select ${id('other')}, ${id('user', '1')}, 'first-party', '[]', null,
        at, at, at + ${10 * minute}, at + ${30 * day}, at + 1, null, at + 1
      from (select n, ${before(now, day)} as at from ${all}) as made where n < ${endedOfOne}`
}

/** The rows about mails, and those that wait for a person to read a mail. */
function* mailStatements(
  now: number,
  id: IdSql,
  of: (table: string) => string,
  expiryOf: (table: string) => string,
): Iterable<string> {
  // The mail server is away: no mail is due, and some mails are dead letters.
  const queued = `${now - hour}, ${now + hour} + n, 1, case when n % 10 = 0 then ${now - hour} end`
  const queueColumns = 'created_at, next_try_at, tries, dead_at, expires_at'
  yield `insert into mail (id, template, subject, recipient, sealed, ${queueColumns})
    select ${rowId(String(now - hour))}, 'password-changed', ${id('user')},
      'user' || n || '@example.com', '${'s'.repeat(200)}', ${queued}, ${expiryOf('mail')}
    from ${of('mail')}`
  yield `insert into dropped_mail (id, template, subject, recipient, drops, dropped_at, expires_at)
    select 'new_device user' || n || '@example.com', 'new_device', ${id('user')},
      'user' || n || '@example.com', 1, ${now - hour}, ${expiryOf('dropped_mail')}
    from ${of('dropped_mail')}`
  yield `insert into app_event (id, event, ${queueColumns})
    select ${rowId(String(now - hour))}, '{"type":"logged_in","subject":"' || ${id('user')} ||
      '"}', ${queued}, ${expiryOf('app_event')} from ${of('app_event')}`
  yield `insert into mail_proof (id, purpose, subject, mailbox, token_hash, code_hash, counted_for,
      tries, sealed, created_at, expires_at, resolved_at)
    select hash_of('proof' || n),
      case when n % 10 = 0 then 'invitation' else 'email_verification' end, ${id('user')},
      'user' || n || '@example.com', hash_of('link' || n), hash_of('code' || n), ${id('user')},
      0, null, ${now - hour}, ${expiryOf('mail_proof')}, ${now - hour} from ${of('mail_proof')}`
  yield `insert into former_email (token_hash, subject, email, email_key, email_verified_at,
      created_at, expires_at)
    select hash_of('undo' || n), ${id('user')}, 'old' || n || '@example.com',
      'old' || n || '@example.com', ${now - day}, ${now - hour}, ${expiryOf('former_email')}
    from ${of('former_email')}`
  yield `insert into pending_registration (id, subject, username, email, email_key, password_hash,
      profile, expires_at)
    select hash_of('pending' || n), ${id('other')}, 'new' || n, 'new' || n || '@example.com',
      'new' || n || '@example.com', '-', '{}', ${expiryOf('pending_registration')}
    from ${of('pending_registration')}`
}
