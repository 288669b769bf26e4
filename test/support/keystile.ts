// Keystile on a real database, for the flow tests: each of them runs on SQLite and again on PostgreSQL.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, describe } from 'node:test'
import pg from 'pg'
import type { Keystile, KeystileOptions } from '@keystile/server'
import { checkOptions } from '../../packages/server/src/server/options.ts'
import { wire } from '../../packages/server/src/server/wire.ts'
import { createTestDatabase, howToGetPostgres, type TestDatabase } from './postgres.ts'

export const issuer = 'http://localhost:3000/auth'
export const key = 'a sealing key for tests: 0123456789 abcdef'
export const password = 'correct horse battery staple'

/** A clock that stands still until it is told to move. */
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

/** An answer with its body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; a test says which members it expects by using them. */
  readonly json: Record<string, any> // oxlint-disable-line typescript/no-explicit-any
}

/** Keystile, and a way to ask it. */
export interface TestKeystile {
  readonly keystile: Keystile
  /** `path` below the issuer. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  register(fields?: Readonly<Record<string, unknown>>): Promise<Answer>
  login(fields?: Readonly<Record<string, string>>): Promise<Answer>
  /** An access token of a user who is registered first if need be. */
  accessToken(username?: string): Promise<string>
  /** As `keystile user disable` does it, in this process. */
  disable(subject: string): Promise<void>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | FormData
  /** Sends it as JSON. */
  readonly json?: unknown
  /** Sends it as a form. */
  readonly form?: Readonly<Record<string, string>> | string
  readonly bearer?: string
}

export interface Stage {
  /** A file or a URL, empty until something is started on it. */
  readonly database: string
  readonly kind: 'SQLite' | 'PostgreSQL'
  /** Starts Keystile on the stage's database; several may run at once. Closed after the test. */
  start(options?: Partial<KeystileOptions<string, object>>): Promise<TestKeystile>
  /** Asks the database itself, past Keystile. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** Runs a suite on a new SQLite file, and again on a new PostgreSQL database, a test each. */
export function describeOnBoth(title: string, suite: (stage: Stage) => void): void {
  describe(`${title} on SQLite`, () => {
    let folder: string
    runOn(suite, 'SQLite', {
      open: async () => {
        folder = mkdtempSync(join(tmpdir(), 'keystile-flow-'))
        return join(folder, 'keystile.db')
      },
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    })
  })
  const skip =
    process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL'] ? false : `no PostgreSQL: ${howToGetPostgres}`
  describe(`${title} on PostgreSQL`, { skip }, () => {
    let database: TestDatabase | undefined
    runOn(suite, 'PostgreSQL', {
      open: async () => {
        database = await createTestDatabase()
        assert.ok(database, howToGetPostgres)
        return database.url
      },
      drop: async () => database?.drop(),
    })
  })
}

function runOn(
  suite: (stage: Stage) => void,
  kind: Stage['kind'],
  { open, drop }: { open(): Promise<string>; drop(): Promise<void> },
): void {
  const running: TestKeystile[] = []
  let database = ''
  const stage: Stage = {
    kind,
    get database() {
      assert.notEqual(database, '', 'the database is there once something was started on it')
      return database
    },
    async start(options = {}) {
      if (database === '') database = await open()
      const started = await startKeystile({ database, ...options })
      running.push(started)
      return started
    },
    sql: (text) => (kind === 'SQLite' ? askSqlite(database, text) : askPostgres(database, text)),
  }
  afterEach(async () => {
    for (const { keystile } of running.splice(0)) await keystile.close()
    if (database !== '') await drop()
    database = ''
  })
  after(() => assert.equal(running.length, 0))
  suite(stage)
}

export async function startKeystile(
  options: Partial<KeystileOptions<string, object>> & {
    readonly database: KeystileOptions<string, object>['database']
  },
): Promise<TestKeystile> {
  const { keystile, users } = await wire(checkOptions({ issuer, key, ...options }))
  const send: TestKeystile['send'] = async (method, path, { headers = {}, body, json, form, bearer } = {}) => {
    const request = new Request(`${keystile.issuer}${path}`, {
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
    return readAnswer(await keystile.fetch(request))
  }
  const register: TestKeystile['register'] = (fields) =>
    send('POST', '/users', { json: { username: 'ada', email: 'ada@example.com', password, ...fields } })
  const login: TestKeystile['login'] = (fields) =>
    send('POST', '/token', { form: { username: 'ada', password, ...fields } })
  return {
    keystile,
    async disable(subject) {
      const user = await users.findBySubject(subject)
      assert.equal(await users.change(user!, { active: false }), 'changed')
    },
    send,
    register,
    login,
    async accessToken(username = 'ada') {
      await register({ username, email: `${username}@example.com` })
      const { status, json, text } = await login({ username })
      assert.equal(status, 200, text)
      return json['access_token'] as string
    },
  }
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

async function askSqlite(file: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const sqlite = new DatabaseSync(file, { timeout: 5_000 })
  try {
    return sqlite.prepare(text).all()
  } finally {
    sqlite.close()
  }
}

async function askPostgres(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=keystile' })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
