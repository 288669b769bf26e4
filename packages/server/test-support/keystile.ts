// Keystile on a real database, for the flow tests. Most of these tests run on SQLite and on
// PostgreSQL.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, describe } from 'node:test'
import type { KeystileOptions } from '@keystile/server'
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import { silentLogger, type JsonObject } from 'keystile/internal'
import { decodeJwtUnsafe } from 'keystile/jwt'
import pg from 'pg'
import { until } from '../../../tools/until.ts'
import { noMeter } from '../src/feature/metric.ts'
import {
  openHashThreads,
  type HashThreads,
} from '../src/features/credentials/password/hash-threads.ts'
import { byOperator } from '../src/features/operations/audit/by.ts'
import type { Clients, NewClient } from '../src/features/tokens/clients/clients.ts'
import type { RotationSettings } from '../src/features/tokens/signing-keys/rotation.ts'
import type { User } from '../src/features/users/accounts/user.ts'
import type { Users } from '../src/features/users/accounts/users.ts'
import { checkOptions } from '../src/server/options.ts'
import { wire, type RunningKeystile } from '../src/server/wire/wire.ts'
import { instanceCount, startInTurns, throughPooler } from './in-turns.ts'
import './quick-jobs.ts'
import { copyMigratedFile, createMigratedDatabase, type MigratedDatabase } from './migrated.ts'
import { openPeople, type People } from './people.ts'
import { howToGetPostgres } from './postgres.ts'

export const issuer = 'http://localhost:3000/auth'
export const key = 'a sealing key for tests: 0123456789 abcdef'
export const password = 'correct horse battery staple'

/**
 * The cost of password hashes in a server, for tests that depend on the cost or on the time that a
 * hash takes.
 */
export const serverHashing = { memoryKiB: 19_456, passes: 2 }
/**
 * The options of each Keystile that a test can change. The PostgreSQL of the tests runs without
 * fsync.
 */
const testOptions = {
  issuer,
  key,
  rateLimits: 'off',
  logger: silentLogger,
  dangerouslyAllowLostCommits: true,
} as const
/** The cost in all other tests: the lowest of argon2id. A server refuses it. */
const cheapHashing = { memoryKiB: 8, passes: 1 }

/** All Keystiles of this process share these: a thread takes longer to start than most tests. */
const threads = openHashThreads()
const openThreads = (): HashThreads => ({ ...threads, close: async () => {} })

/** The answer to a login whose password cannot be hashed soon enough. */
const noRoomForHash = 'Too many logins at the moment'

/** A clock whose time changes only when a test changes it. */
export interface TestClock {
  now(): number
  advance(seconds: number): void
}

export function createTestClock(now = Date.UTC(2026, 10, 25, 12)): TestClock {
  let current = now
  return {
    now: () => current,
    advance(seconds) {
      current += seconds * 1000
    },
  }
}

/** An answer whose body has been read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON. The type is `any`, so that tests can use the members that they expect. */
  readonly json: Record<string, any> // oxlint-disable-line typescript/no-explicit-any
}

/** Keystile, and functions that send requests to it. */
export interface TestKeystile {
  readonly keystile: RunningKeystile['keystile']
  readonly clients: Clients
  readonly users: Users
  /** Returns the reasons for which `/readyz` answers 503. */
  readonly findUnreadiness: RunningKeystile['findUnreadiness']
  /** The OpenAPI document of Keystile's endpoints. */
  readonly document: JsonObject
  /**
   * Registers a client. Without fields, it is confidential and may use `client_credentials`.
   * @returns the client's credentials as form fields
   */
  addClient(fields?: Partial<NewClient>): Promise<Readonly<Record<string, string>>>
  /**
   * Sends a request to a path below the issuer. If hashing cannot begin within 2 s, sends it again,
   * as a client does: on a busy machine, a few logins at once are enough for this answer.
   */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  /**
   * Sends a request to a guarded route of the app. The route answers with the user and the
   * identity.
   */
  open(demand: readonly string[], options?: SendOptions): Promise<Answer>
  register(fields?: Readonly<Record<string, unknown>>): Promise<Answer>
  /**
   * Adds a user who can log in: registers an account, or adds a row to the app's own table. Returns
   * the subject.
   */
  addUser(fields?: UserFields): Promise<string>
  /** Returns the stored password hash of a user. */
  readHash(subject: string): Promise<string>
  writeHash(subject: string, hash: string): Promise<void>
  login(fields?: Readonly<Record<string, string>>): Promise<Answer>
  /** Returns the tokens of a new login. Registers the user first if needed. */
  tokens(username?: string): Promise<Tokens>
  refresh(refreshToken: string, fields?: Readonly<Record<string, string>>): Promise<Answer>
  /** Replaces the scopes of a user. */
  setScopes(subject: string, scopes: readonly string[]): Promise<void>
  /** Returns an access token of a new login. Registers the user first if needed. */
  accessToken(username?: string): Promise<string>
  /**
   * Disables a user, as `keystile user disable` does. If the app stores the users, disables the
   * user in the app's own table.
   */
  disable(subject: string): Promise<void>
}

/** The tokens of a login, and the ids in its access token. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly sessionId: string
  readonly subject: string
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | FormData
  /** A value to send as JSON. */
  readonly json?: unknown
  /** Fields to send as a form. */
  readonly form?: Readonly<Record<string, string>> | string
  readonly bearer?: string
  /** The IP address that the request comes from. */
  readonly remoteAddress?: string
  /** Does not send the request again if hashing cannot begin. */
  readonly isSentOnce?: true
}

interface UserFields {
  readonly username?: string
  readonly email?: string
  readonly password?: string
}

/** The kind of users: accounts of Keystile, or people in a table of the app. */
export type Directory = 'accounts' | 'people'
/** Both kinds of users, for tests that must pass with each kind. */
export const bothDirectories: readonly Directory[] = ['accounts', 'people']

export interface Stage {
  /** The file or the URL of the database. It exists only after `start`. */
  readonly database: string
  readonly kind: 'SQLite' | 'PostgreSQL'
  /** The users in the app's own table. The table exists only after `start`. */
  readonly people: People
  /**
   * Starts Keystile on the stage's database. A test may start Keystile several times. All instances
   * close after the test.
   */
  start(
    options?: Partial<KeystileOptions<string, object>>,
    rotation?: RotationSettings,
  ): Promise<TestKeystile>
  /** Queries the database directly. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** The PostgreSQL databases of this process that no suite uses. */
const idle: MigratedDatabase[] = []
after(() => Promise.all(idle.splice(0).map(({ drop }) => drop())))

/**
 * Runs a suite twice: with a new SQLite file for each test, and with a PostgreSQL database that is
 * reset after each test. Does this for each kind of users in `directories`. With both kinds,
 * KEYSTILE_LONG=1 runs all four suites. Otherwise two run, which cover both databases and both
 * kinds of users: accounts on SQLite, and the app's own users on PostgreSQL. A machine without
 * PostgreSQL runs both kinds of users on SQLite.
 *
 * If KEYSTILE_TEST_INSTANCES is above 1, all suites run on PostgreSQL only, and each Keystile of a
 * test is that many Keystiles, which answer in turns.
 */
export function describeOnBoth(
  title: string,
  suite: (stage: Stage) => void,
  directories: readonly Directory[] = ['accounts'],
): void {
  describeOn(title, suite, { directories })
}

/**
 * Like `describeOnBoth`, for rules that do not depend on the kind of database. Without
 * KEYSTILE_LONG=1, the suite runs on one. A machine without PostgreSQL runs it on SQLite.
 */
export function describeOnOne(
  kind: Stage['kind'],
  title: string,
  suite: (stage: Stage) => void,
  directories: readonly Directory[] = ['accounts'],
): void {
  describeOn(title, suite, { directories, only: kind })
}

function describeOn(
  title: string,
  suite: (stage: Stage) => void,
  { directories, only }: { readonly directories: readonly Directory[]; only?: Stage['kind'] },
): void {
  const hasPostgres = Boolean(process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL'])
  const isShort = hasPostgres && !process.env['KEYSTILE_LONG'] && instanceCount === 1
  /** Whether a short run leaves out this kind of database for these users. */
  const isLeftOut = (kind: Stage['kind'], directory: Directory): boolean => {
    if (!isShort) return false
    if (only) return kind !== only
    return directories.length > 1 && (kind === 'SQLite') === (directory === 'people')
  }
  const longOnly = 'KEYSTILE_LONG=1 runs it'
  for (const directory of directories) {
    const whose = directory === 'people' ? ', with the app’s own users' : ''
    const skipSqlite =
      (instanceCount > 1 && 'several instances run on PostgreSQL') ||
      (isLeftOut('SQLite', directory) && longOnly)
    describe(`${title} on SQLite${whose}`, { skip: skipSqlite, concurrency: 1 }, () => {
      let folder: string
      runOn(suite, 'SQLite', directory, {
        open: async () => {
          folder = mkdtempSync(join(tmpdir(), 'keystile-flow-'))
          return copyMigratedFile(join(folder, 'keystile.db'))
        },
        clear: async () => rmSync(folder, { recursive: true, force: true }),
      })
    })
    const skip = hasPostgres
      ? isLeftOut('PostgreSQL', directory) && longOnly
      : `no PostgreSQL: ${howToGetPostgres}`
    describe(`${title} on PostgreSQL${whose}`, { skip, concurrency: 1 }, () => {
      let database: MigratedDatabase | undefined
      after(() => {
        if (database) idle.push(database)
        database = undefined // `npm run mutate` runs the suite again
      })
      runOn(suite, 'PostgreSQL', directory, {
        open: async () => {
          database ??= idle.pop() ?? (await createMigratedDatabase())
          assert.ok(database, howToGetPostgres)
          return database.url
        },
        clear: async () => database?.reset(),
      })
    })
  }
}

function runOn(
  suite: (stage: Stage) => void,
  kind: Stage['kind'],
  directory: Directory,
  { open, clear }: { open(): Promise<string>; clear(): Promise<void> },
): void {
  const running: TestKeystile[] = []
  /** Requests that failed with 5xx, and whose status the test has not read. */
  const unseen = new Set<string>()
  let database = ''
  let people: People | undefined
  const stage: Stage = {
    kind,
    get database() {
      assert.notEqual(database, '', 'start Keystile first: it creates the database')
      return database
    },
    get people() {
      assert.ok(people, 'start Keystile with people first: it creates the table')
      return people
    },
    async start(options = {}, rotation) {
      if (database === '') database = await open()
      const place = kind === 'SQLite' ? database : throughPooler(database)
      if (directory === 'people')
        people ??= await openPeople(kind, kind === 'SQLite' ? `${database}.people` : place)
      const own = people && { users: people.directory, database: people.pool ?? place }
      const given = { database: place, ...own, ...options } as StartOptions
      const started = await startKeystile(given, { people, rotation, unseen })
      running.push(started)
      return started
    },
    async sql(text) {
      connection ??= kind === 'SQLite' ? openSqlite(database) : openPool(database)
      return connection.ask(text)
    },
  }
  let connection: Connection | undefined
  afterEach(async () => {
    for (const { keystile } of running.splice(0)) await keystile.close()
    await people?.close()
    people = undefined
    await connection?.close()
    connection = undefined
    if (database !== '') await clear()
    database = ''
    const failed = [...unseen]
    unseen.clear()
    assert.deepEqual(failed, [], 'a test must look at the answer of each request that can fail')
  })
  after(() => assert.equal(running.length, 0))
  suite(stage)
}

type StartOptions = Partial<KeystileOptions<string, object>> & {
  readonly database: KeystileOptions<string, object>['database']
}

interface StageParts {
  /** The users in the app's own table, if `options.users` is the directory of this table. */
  readonly people?: People | undefined
  /** The times of a key's life. Default: those of every start. */
  readonly rotation?: RotationSettings | undefined
  /** Gets each request that fails with 5xx, until the test reads the status of the answer. */
  readonly unseen?: Set<string>
}

export async function startKeystile(
  options: StartOptions,
  { people, rotation, unseen = new Set() }: StageParts = {},
): Promise<TestKeystile> {
  const { passwordHashing = cheapHashing } = options
  const isOnFile = typeof options.database === 'string' && !options.database.startsWith('postgres')
  const { keystile, users, clients, document, findUnreadiness } = await startInTurns(
    isOnFile ? 1 : instanceCount,
    () => {
      const checked = checkOptions({ ...testOptions, ...options })
      return wire({ ...checked, passwordHashing, openThreads }, noMeter, rotation)
    },
  )
  const guard = createGuard(keystile)
  let failures = 0
  const send: TestKeystile['send'] = async (method, path, options) => {
    const answer = await until(async () => {
      const request = requestOf(method, `${keystile.issuer}${path}`, options)
      const answer = await readAnswer(await keystile.fetch(request, options))
      const mayWait = answer.status === 503 && answer.text.includes(noRoomForHash)
      return (options?.isSentOnce || !mayWait) && answer
    })
    const { status, text } = answer
    if (status < 500) return answer
    const line = `failed request ${++failures}: ${method} ${path}: ${status} ${text}`
    unseen.add(line)
    const get = (): number => (unseen.delete(line), status)
    return Object.defineProperty(answer, 'status', { enumerable: true, get })
  }
  const register: TestKeystile['register'] = (fields) =>
    send('POST', '/users', {
      json: { username: 'ada', email: 'ada@example.com', password, ...fields },
    })
  const login: TestKeystile['login'] = (fields) =>
    send('POST', '/token', { form: { username: 'ada', password, ...fields } })
  const tokens: TestKeystile['tokens'] = async (username = 'ada') => {
    if (people) await people.add({ username, password })
    else await register({ username, email: `${username}@example.com` })
    const { status, json, text } = await login({ username })
    assert.equal(status, 200, text)
    return tokensOf(json)
  }
  const getUser = async (subject: string): Promise<User> => {
    // `listAfter` bypasses the cache.
    const user = (await users.listAfter('', 50)).find(({ publicUser }) => publicUser.id === subject)
    assert.ok(user, 'there is no such user')
    return user
  }
  return {
    keystile,
    clients,
    users,
    findUnreadiness,
    document,
    async addClient(fields) {
      const client = {
        id: 'orders',
        grants: ['client_credentials'],
        scopes: [],
        may: [],
        confidential: true,
      } as const
      const created = await clients.create({ ...client, ...fields }, byOperator)
      assert.ok(created !== 'taken')
      const { secret } = created
      return {
        client_id: fields?.id ?? client.id,
        ...(secret !== undefined && { client_secret: secret }),
      }
    },
    send,
    async open(demand, options) {
      const app = new Hono()
        .get('/', guard(...demand), (c) => c.json({ user: c.var.user, ...c.var.identity }))
        .onError((_error, c) => c.text('the app’s own words', 500))
      return readAnswer(await app.request(requestOf('GET', 'http://localhost/', options)))
    },
    register,
    async addUser(fields) {
      if (people) return people.add({ password, ...fields })
      const { status, json, text } = await register({ ...fields })
      assert.equal(status, 201, text)
      return json['id'] as string
    },
    async readHash(subject) {
      if (!people) return (await getUser(subject)).passwordHash
      return (await people.sql('select * from people where id = $1', subject))[0]!.hash!
    },
    async writeHash(subject, hash) {
      if (people) await people.sql('update people set hash = $1 where id = $2', hash, subject)
      else assert.equal(await users.replacePasswordHash(await getUser(subject), hash), 'changed')
    },
    async disable(subject) {
      if (people) await people.sql('update people set banned = 1 where id = $1', subject)
      else
        assert.equal(
          await users.change(await getUser(subject), { active: false }, byOperator),
          'changed',
        )
    },
    login,
    tokens,
    accessToken: async (username) => (await tokens(username)).accessToken,
    refresh: (refresh_token, fields) =>
      send('POST', '/token', { form: { grant_type: 'refresh_token', refresh_token, ...fields } }),
    async setScopes(subject, scopes) {
      if (people)
        await people.sql('update people set scopes = $1 where id = $2', scopes.join(' '), subject)
      else
        assert.equal(await users.change(await getUser(subject), { scopes }, byOperator), 'changed')
    },
  }
}

/** Returns the tokens in an answer to `POST /token`. */
export function tokensOf(json: Answer['json']): Tokens {
  const accessToken = json['access_token'] as string
  const { sid, sub } = decodeJwtUnsafe(accessToken).claims
  return {
    accessToken,
    refreshToken: json['refresh_token'] as string,
    sessionId: sid as string,
    subject: sub as string,
  }
}

function requestOf(
  method: string,
  url: string,
  { headers = {}, body, json, form, bearer }: SendOptions = {},
): Request {
  return new Request(url, {
    method,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body:
      json !== undefined
        ? JSON.stringify(json)
        : form !== undefined
          ? new URLSearchParams(form).toString()
          : (body ?? null),
  })
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : {},
  }
}

/** A connection of a test to the database of Keystile. */
interface Connection {
  readonly ask: Stage['sql']
  close(): Promise<void>
}

function openSqlite(file: string): Connection {
  const sqlite = new DatabaseSync(file, { timeout: 60_000 })
  return {
    ask: async (text) => sqlite.prepare(text).all(),
    close: async () => sqlite.close(),
  }
}

function openPool(connectionString: string): Connection {
  const pool = new pg.Pool({ connectionString, options: '-c search_path=keystile' })
  pool.on('error', () => {}) // a test may end the connections; the next query opens another one
  return {
    ask: async (text) => (await pool.query(text)).rows,
    close: () => pool.end(),
  }
}
