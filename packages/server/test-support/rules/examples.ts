// For each rule, situations that violate the rule and situations that do not violate it.
import type { FileFacts } from '../../src/feature/file-facts.ts'
import type { Machine } from '../../src/feature/situation.ts'
import type { RuleOptions } from '../../src/server/features.ts'
import { signingKeys, type Situation } from './configurations.ts'
import { lastMigration as last, sealedKeys } from './predicates.ts'

interface Examples {
  readonly stopped: readonly Situation[]
  readonly passed: readonly Situation[]
}

const local = { issuer: 'http://localhost:8000', database: 'data/keystile.db' }
const online = {
  issuer: 'https://auth.example',
  database: 'data/keystile.db',
  registration: 'closed',
} as const
const good = 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a'
const postgres = 'postgres://keystile:hunter2@db.internal/keystile'

const now = Date.UTC(2026, 10, 25)
const file = (path: string, mode: number): FileFacts & { readonly mode: number } => ({
  path,
  mode,
  isForeign: false,
  modifiedAt: now - 1,
})
const migrations = {
  missing: [],
  unknown: [],
  isEmpty: false,
  mark: { oldest: 16, release: '0.1.0' },
  mayMigrate: false,
}
const newer = { ...migrations, unknown: ['9999-later'] }
const sqlite = {
  kind: 'sqlite',
  issuer: local.issuer,
  synchronous: 2,
  migrations,
  latest: now - 1,
  deadMails: 0,
  deadEvents: 0,
} as const
const postgresFacts = {
  kind: 'postgres',
  issuer: local.issuer,
  fsync: 'on',
  migrations,
  now,
} as const
const [sealedKey] = sealedKeys
const mailServer = { host: 'mail.example', port: 587, fault: undefined }
const sound: Machine = {
  nodeVersion: '24.15.0',
  now,
  keyFile: { ...file('data/keystile.key', 0o600), secret: good },
  secretFiles: [file('/run/secrets/keystile', 0o600)],
  databaseFiles: [file('data/keystile.db', 0o600)],
  database: sqlite,
}

const of = (options: RuleOptions, more: Partial<Situation> = {}): Situation => ({
  options,
  unread: new Set(),
  ...more,
})
const at = (options: RuleOptions): Situation => of({ ...local, ...options })
const on = (machine: Partial<Machine>): Situation =>
  of(local, { machine: { ...sound, ...machine } })
const asFlag = (options: RuleOptions): Situation =>
  of({ ...local, ...options }, { flags: new Set(['database']) })
const listening = (
  host: string,
  isIssuerGiven: boolean,
  options: RuleOptions = online,
): Situation => of(options, { bind: { host, isIssuerGiven } })

const withSealedKey = (database: typeof sqlite | typeof postgresFacts): Machine => ({
  ...sound,
  keyFile: undefined,
  database: { ...database, sealedKey },
})
const withApps = (unreadable: number): Machine => ({
  ...sound,
  database: { ...sqlite, apps: { checked: 3, unreadable } },
})
const withPreviousKey = (needsPreviousKey: boolean | undefined): Situation =>
  of(
    { ...local, previousKey: good },
    { machine: { ...sound, database: { ...sqlite, needsPreviousKey } } },
  )
const withoutFsync = (options: RuleOptions): Situation =>
  of(
    { ...local, ...options },
    { machine: { ...sound, database: { ...postgresFacts, fsync: 'off' } } },
  )
/** A start of the stand-alone server on PostgreSQL. */
const firstStart = (isIssuerGiven: boolean, issuer: string | undefined): Situation =>
  of(
    { ...local, database: 'postgres:///x', key: good },
    {
      bind: { host: 'localhost', isIssuerGiven },
      machine: { ...sound, keyFile: undefined, database: { ...postgresFacts, issuer } },
    },
  )

export const examples: Readonly<Record<string, Examples>> = {
  'issuer-https': {
    stopped: [
      at({ issuer: 'http://auth.example' }),
      at({ issuer: 'http://127.0.0.1.evil.example' }),
    ],
    passed: [
      at({}),
      of(online),
      at({ issuer: 'http://auth.internal', dangerouslyAllowHttpIssuer: true }),
    ],
  },
  'http-allowed': {
    stopped: [at({ dangerouslyAllowHttpIssuer: true })],
    passed: [at({}), at({ dangerouslyAllowHttpIssuer: false })],
  },
  'public-bind': {
    stopped: [
      listening('0.0.0.0', false),
      listening('::', true, { ...local, registration: 'closed' }),
      listening('0.0.0.0', false, { ...local, dangerouslyAllowHttpIssuer: true }),
    ],
    passed: [
      listening('0.0.0.0', true),
      listening('localhost', false, local),
      listening('0.0.0.0', true, { ...local, dangerouslyAllowHttpIssuer: true }),
    ],
  },
  'registration-said': {
    stopped: [at({ issuer: 'https://auth.example' }), listening('0.0.0.0', true, local)],
    passed: [
      at({}),
      of(online),
      at({ issuer: 'https://auth.example', users: {} }),
      of({ issuer: 'https://auth.example' }, { unread: new Set(['registration']) }),
      of({ issuer: 'https://auth.example' }, { unread: new Set(['users']) }),
      of({ issuer: 'auth' }),
    ],
  },
  'registration-limited': {
    stopped: [of({ ...online, registration: 'open', rateLimits: 'off' })],
    passed: [
      of({ ...online, registration: 'open', rateLimits: 'on' }),
      of({ ...online, registration: 'open' }),
      of({ ...online, rateLimits: 'off' }),
      at({ registration: 'open', rateLimits: 'off' }),
    ],
  },
  'registration-unprivileged': {
    stopped: [
      of({ ...online, registration: 'open', defaultScopes: ['users:write'] }),
      of({
        ...online,
        registration: 'open',
        scopes: { a: '' },
        defaultScopes: ['a', 'users:read'],
      }),
    ],
    passed: [
      of({ ...online, defaultScopes: ['users:write'] }),
      of({
        ...online,
        registration: 'open',
        scopes: { 'users:a': '' },
        defaultScopes: ['users:a'],
      }),
      of({ ...online, registration: 'open' }),
      at({ registration: 'open', defaultScopes: ['users:write'] }),
    ],
  },
  'factor-key': {
    stopped: [
      of({ ...online, signingKey: signingKeys.fit[0], secondFactor: 'optional' }),
      of({ ...online, signingKey: signingKeys.fit[0], secondFactor: 'required' }),
    ],
    passed: [
      of({ ...online, signingKey: signingKeys.fit[0] }),
      of({ ...online, secondFactor: 'optional' }),
      of({
        ...online,
        signingKey: signingKeys.fit[0],
        secondFactor: 'optional',
        key: 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a',
      }),
    ],
  },
  'factor-key-opens': {
    stopped: [
      on(withApps(1)),
      of({ ...local, key: good }, { machine: withApps(3) }),
      of({ ...local, signingKey: signingKeys.fit[0] }, { machine: withApps(1) }),
    ],
    passed: [on(withApps(0)), of({ ...local, key: good }, { machine: withApps(0) })],
  },
  'password-length': {
    stopped: [
      of({ ...online, passwordMinLength: 14 }),
      of({ ...online, passwordMinLength: 8, secondFactor: 'optional' }),
      of({ ...online, passwordMinLength: 8, users: {} }),
      of({ ...online, passwordMinLength: 8, users: { needsFactor: () => true } }),
      of({ ...online, passwordMinLength: 8, secondFactor: 'required', rememberFactorDays: 30 }),
    ],
    passed: [
      of({ ...online, passwordMinLength: 15 }),
      of(online),
      of({ ...online, passwordMinLength: 8, secondFactor: 'required' }),
      of({ ...online, passwordMinLength: 8 }, { unread: new Set(['secondFactor']) }),
    ],
  },
  'rate-limits': {
    stopped: [
      of({ ...online, rateLimits: 'off' }),
      listening('0.0.0.0', true, { ...local, rateLimits: 'off' }),
    ],
    passed: [of({ ...online, rateLimits: 'on' }), of(online), at({ rateLimits: 'off' })],
  },
  'proxies-said': {
    stopped: [
      of({ ...online, trustedProxies: undefined }),
      listening('0.0.0.0', true, { ...local }),
    ],
    passed: [
      of({ ...online, trustedProxies: [] }),
      of({ ...online, trustedProxies: ['10.0.0.1'] }),
      of({ ...online, trustedProxies: undefined, rateLimits: 'off' }),
      at({}),
    ],
  },
  'proxies-named': {
    stopped: ['0.0.0.0/0', '::/0', '10.0.0.0/7', 'f000::/6', '::ffff:0:0/96', '0.0.0.0/1', '*'].map(
      (network) => at({ trustedProxies: ['10.0.0.1', network] }),
    ),
    passed: [
      at({}),
      at({
        trustedProxies: [
          '10.0.0.0/8',
          '10.0.0.1',
          '0.0.0.0/33',
          '0.0.0.0/x',
          'x/0',
          'fc00::/7',
          '::1/128',
          '192.168.0.0/16',
        ],
      }),
    ],
  },
  'key-given': {
    stopped: [
      at({ database: postgres }),
      at({ database: { connect() {}, end() {}, on() {} } as never }),
    ],
    passed: [
      at({}),
      at({ database: postgres, key: good }),
      at({ database: postgres, signingKey: signingKeys.fit[0] }),
      of({ database: postgres }, { unread: new Set(['key']) }),
      of({ database: postgres }, { unread: new Set(['signingKey']) }),
      of({}, { unread: new Set(['database']) }),
    ],
  },
  'key-random': {
    stopped: [
      at({ key: good.slice(1) }),
      at({ key: '0123456789abcde'.repeat(3) }),
      at({ key: '0123456789abcdef'.repeat(4) }),
      at({ key: 'this is a very long secret string for production' }),
      on({ keyFile: { ...sound.keyFile!, secret: 'short' } }),
    ],
    passed: [at({ key: good }), at({}), on({})],
  },
  'key-unknown': {
    stopped: [
      at({ key: 'your-super-secret-jwt-token-with-at-least-32-characters-long' }),
      at({ key: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' }),
      at({ key: 'please CHANGE-ME: 0123456789 abcdef' }),
      at({ key: '/run/secrets/keystile-production.key' }),
      on({
        keyFile: { ...sound.keyFile!, secret: 'https://tenant.example/.well-known/jwks.json' },
      }),
    ],
    passed: [at({ key: good }), at({}), on({})],
  },
  'signing-key-strong': {
    stopped: [...signingKeys.unfit, ...signingKeys.unfitSets].map((signingKey) =>
      at({ signingKey }),
    ),
    passed: [
      at({}),
      ...[...signingKeys.fit, ...signingKeys.fitSets].map((signingKey) => at({ signingKey })),
    ],
  },
  'access-token-short': {
    stopped: [at({ accessTokenSeconds: 3601 })],
    passed: [at({ accessTokenSeconds: 3600 }), at({})],
  },
  'session-short': {
    stopped: [at({ sessionSeconds: 2_592_001 })],
    passed: [at({ sessionSeconds: 2_592_000 }), at({})],
  },
  'idle-short': {
    stopped: [at({ sessionSeconds: 2_592_001, idleSeconds: 2_592_001 })],
    passed: [at({ sessionSeconds: 31_536_000 }), at({ idleSeconds: 31_536_000 }), at({})],
  },
  'grace-short': {
    stopped: [at({ graceSeconds: 31 })],
    passed: [at({ graceSeconds: 30 }), at({})],
  },
  'cookie-https': {
    stopped: [
      at({ issuer: 'http://auth.internal', cookieSession: true, dangerouslyAllowHttpIssuer: true }),
    ],
    passed: [
      at({ cookieSession: true }),
      of({ ...online, cookieSession: true }),
      at({ issuer: 'http://auth.internal' }),
    ],
  },
  'login-pages-https': {
    stopped: [
      at({ issuer: 'http://auth.internal', loginPages: 'on', dangerouslyAllowHttpIssuer: true }),
    ],
    passed: [
      at({ loginPages: 'on' }),
      of({ ...online, loginPages: 'on' }),
      at({ issuer: 'http://auth.internal', loginPages: 'off' }),
    ],
  },
  'cors-named': {
    stopped: ['*', 'null', 'https://*.example', 'http://*'].map((origin) =>
      at({ corsOrigins: ['https://a.example', origin] }),
    ),
    passed: [at({}), at({ corsOrigins: ['https://a.example', 'http://localhost:5173'] })],
  },
  'cors-https': {
    stopped: [at({ corsOrigins: ['https://a.example', 'http://a.example'] })],
    passed: [
      at({}),
      at({ corsOrigins: ['https://a.example', 'http://localhost:5173'] }),
      at({ corsOrigins: ['http://a.example'], dangerouslyAllowHttpIssuer: true }),
      at({ corsOrigins: ['http://*.example'] }),
    ],
  },
  'postgres-tls': {
    stopped: [
      at({ database: postgres }),
      at({ database: `${postgres}?sslmode=require` }),
      at({ database: `${postgres}?sslmode=verify-full&sslmode=disable` }),
      at({ database: 'postgres://localhost/x?host=db.internal' }),
    ],
    passed: [
      at({}),
      at({ database: `${postgres}?sslmode=verify-full` }),
      at({ database: 'postgres://127.0.0.1/x' }),
      at({ database: 'postgres:///x?host=/run/postgresql' }),
      at({ database: 'postgres:///x' }),
      at({ database: 'postgres://[db.internal/x' }),
      at({ database: 'mysql://db.internal/x' }),
      of({}, { unread: new Set(['database']) }),
      at({ database: 'postgres://%2Frun%2Fpostgresql/x' }),
    ],
  },
  'settings-complete': {
    stopped: [of({}, { faults: ['port is a whole number'] })],
    passed: [of(local, { faults: [] })],
  },
  'node-version': {
    stopped: [on({ nodeVersion: '24.14.1' }), on({ nodeVersion: '22.99.0' })],
    passed: [on({}), on({ nodeVersion: '25.0.0' }), on({ nodeVersion: '24.16.0' })],
  },
  'database-password-hidden': {
    stopped: [
      postgres,
      'postgresql://localhost/x?user=u&password=hunter2',
      'postgres://u:hunter2@[db.internal/x',
      'postgres://u:hunter2/@localhost/x',
    ].map((database) => asFlag({ database, key: good })),
    passed: [
      of({ ...local, database: postgres, key: good }),
      of({ ...local, database: postgres, key: good }, { flags: new Set(['host']) }),
      asFlag({ database: 'postgres://keystile@localhost/x', key: good }),
      asFlag({ database: 'data/a:b@c.db' }),
      asFlag({}),
    ],
  },
  'key-file-private': {
    stopped: [
      ...[0o640, 0o604, 0o610, 0o666].map((mode) => on({ keyFile: { ...sound.keyFile!, mode } })),
      on({ keyFile: { ...sound.keyFile!, isForeign: true } }),
    ],
    passed: [on({}), on({ keyFile: { ...sound.keyFile!, mode: undefined } })],
  },
  'secret-files-private': {
    stopped: [
      ...[0o644, 0o640, 0o602].map((mode) =>
        on({ secretFiles: [file('/run/secrets/a', 0o600), file('/run/secrets/b', mode)] }),
      ),
      on({ secretFiles: [{ ...file('/run/secrets/a', 0o600), isForeign: true }] }),
    ],
    passed: [
      on({ secretFiles: [file('/run/secrets/a', 0o600), file('/run/secrets/b', 0o400)] }),
      on({ secretFiles: [{ ...file('C:/secret', 0o600), mode: undefined }] }),
    ],
  },
  'database-file-private': {
    stopped: [
      on({ databaseFiles: [file('x', 0o600), file('x-wal', 0o644)] }),
      on({ databaseFiles: [{ ...file('x', 0o600), isForeign: true }] }),
      on({ openFolder: 'data' }),
    ],
    passed: [on({})],
  },
  'database-opens': {
    stopped: [on({ database: { kind: 'unavailable', reason: 'refused' } })],
    passed: [on({})],
  },
  'tables-current': {
    stopped: [
      on({ database: { ...postgresFacts, migrations: { ...migrations, missing: [last] } } }),
      on({ database: { ...sqlite, migrations: { ...migrations, missing: ['0003-clients'] } } }),
      on({ database: { ...sqlite, migrations: { ...newer, mark: undefined } } }),
      on({
        database: {
          ...postgresFacts,
          migrations: { ...newer, mark: { oldest: 9999, release: '9.0.0' }, mayMigrate: true },
        },
      }),
      on({ database: { ...postgresFacts, migrations: { ...migrations, isEmpty: true } } }),
    ],
    passed: [
      on({}),
      on({ database: { ...sqlite, migrations: { ...migrations, missing: [last] } } }),
      on({
        database: {
          ...postgresFacts,
          migrations: { ...migrations, isEmpty: true, mayMigrate: true },
        },
      }),
      on({ database: { ...postgresFacts, migrations: newer } }),
    ],
  },
  'tables-not-newer': {
    stopped: [on({ database: { ...postgresFacts, migrations: newer } })],
    passed: [on({}), on({ database: { ...sqlite, migrations: { ...newer, mark: undefined } } })],
  },
  'key-opens': {
    stopped: [
      of({ ...local, key: `${good}x` }, { machine: withSealedKey(sqlite) }),
      on({
        keyFile: { ...sound.keyFile!, secret: `${good}x` },
        database: { ...sqlite, sealedKey },
      }),
      on({ keyFile: undefined, database: { ...sqlite, sealedKey } }),
      of(
        { ...local, database: postgres, key: `${good}x` },
        { machine: withSealedKey(postgresFacts) },
      ),
    ],
    passed: [
      on({ database: { ...sqlite, sealedKey } }),
      of({ ...local, key: good }, { machine: withSealedKey(postgresFacts) }),
      of(
        { ...local, key: `${good}x`, previousKey: good },
        { machine: withSealedKey(postgresFacts) },
      ),
      of({ ...local, previousKey: good }, { machine: withSealedKey(sqlite) }),
    ],
  },
  'next-key-published': {
    stopped: [on({ database: { ...sqlite, nextKeyDueAt: now - 86_400_000 } })],
    passed: [
      on({}),
      on({ database: { ...sqlite, nextKeyDueAt: now - 86_399_999 } }),
      of(
        { ...local, signingKey: signingKeys.fit[0] },
        { machine: { ...sound, database: { ...sqlite, nextKeyDueAt: 0 } } },
      ),
    ],
  },
  'previous-key-needed': {
    stopped: [withPreviousKey(false)],
    passed: [on({}), withPreviousKey(true), withPreviousKey(undefined)],
  },
  'issuer-given': {
    stopped: [firstStart(false, undefined)],
    passed: [firstStart(true, undefined), firstStart(false, local.issuer)],
  },
  'issuer-stored': {
    stopped: [on({ database: { ...sqlite, issuer: 'https://auth.example' } })],
    passed: [on({}), on({ database: { ...sqlite, issuer: undefined } })],
  },
  'sqlite-durable': {
    stopped: [on({ database: { ...sqlite, synchronous: 1 } })],
    passed: [on({}), on({ database: { ...sqlite, synchronous: 3 } })],
  },
  'sqlite-local': {
    stopped: [on({ databaseFileSystem: 0x6969 }), on({ databaseFileSystem: 0xff534d42 })],
    passed: [on({ databaseFileSystem: 0xef53 })],
  },
  'postgres-durable': {
    stopped: [withoutFsync({}), withoutFsync({ dangerouslyAllowLostCommits: false })],
    passed: [on({ database: postgresFacts }), withoutFsync({ dangerouslyAllowLostCommits: true })],
  },
  'clock-right': {
    stopped: [
      on({ database: { ...postgresFacts, now: now + 61_000 } }),
      on({ database: { ...postgresFacts, now: now - 61_000 } }),
      on({ database: { ...sqlite, latest: now + 61_000 } }),
      on({ databaseFiles: [{ ...file('x', 0o600), modifiedAt: now + 61_000 }] }),
    ],
    passed: [
      on({}),
      on({ database: { ...postgresFacts, now: now + 60_000 } }),
      on({ database: { ...sqlite, latest: now + 60_000 } }),
      on({ database: { ...sqlite, latest: now - 86_400_000 } }),
    ],
  },
  'mail-console': {
    stopped: [
      of({ ...online, mailUrl: 'console:' }),
      listening('0.0.0.0', true, { ...local, mailUrl: 'console:' }),
    ],
    passed: [
      at({ mailUrl: 'console:' }),
      listening('localhost', false, { ...local, mailUrl: 'console:' }),
      of({ ...online, mailUrl: 'smtps://app:hunter2@mail.example' }),
      of(online),
    ],
  },
  'mail-tls': {
    stopped: [
      at({ mailUrl: 'smtp://mail.example?tls=off' }),
      at({ mailUrl: 'smtp://10.0.0.5:25?tls=off' }),
    ],
    passed: [
      at({}),
      at({ mailUrl: 'console:' }),
      at({ mailUrl: 'smtp://mail.example' }),
      at({ mailUrl: 'smtps://mail.example' }),
      at({ mailUrl: 'smtp://localhost:2525' }),
      at({ mailUrl: 'smtp://[::1]:2525?tls=off' }),
      at({ mailUrl: 'not a URL' }),
    ],
  },
  'mail-reachable': {
    stopped: [
      on({
        mailServer: { ...mailServer, fault: { cause: 'the host is unknown', fix: 'correct it' } },
      }),
    ],
    passed: [on({ mailServer })],
  },
  'mail-sent': {
    stopped: [
      on({ database: { ...sqlite, deadMails: 1 } }),
      on({ database: { ...postgresFacts, deadMails: 20 } }),
    ],
    passed: [on({}), on({ database: postgresFacts })],
  },
  'events-handled': {
    stopped: [
      on({ database: { ...sqlite, deadEvents: 1 } }),
      on({ database: { ...postgresFacts, deadEvents: 20 } }),
    ],
    passed: [on({}), on({ database: postgresFacts })],
  },
}

/**
 * Maps a rule to the situations in which the rule cannot be checked, so that it must not count as
 * checked.
 */
export const unlooked: Readonly<Record<string, readonly Situation[]>> = {
  'public-bind': [at({})],
  'postgres-tls': [at({ database: { connect() {}, end() {}, on() {} } as never })],
  'settings-complete': [at({})],
  'node-version': [at({})],
  'key-file-private': [at({}), on({ keyFile: undefined })],
  'secret-files-private': [at({}), on({ secretFiles: [] })],
  'database-file-private': [at({}), on({ databaseFiles: [] })],
  'database-opens': [at({}), on({ database: undefined })],
  'issuer-stored': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
    of({}, { machine: sound }),
  ],
  'tables-current': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
  'tables-not-newer': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
  'key-opens': [
    at({}),
    on({}),
    on({ keyFile: { ...sound.keyFile!, secret: undefined }, database: { ...sqlite, sealedKey } }),
    of({ ...local, signingKey: signingKeys.fit[0] }, { machine: withSealedKey(sqlite) }),
    ...['key', 'previousKey', 'signingKey'].map((name) =>
      of(local, { machine: withSealedKey(sqlite), unread: new Set([name]) }),
    ),
    of(local, { machine: withSealedKey(postgresFacts) }),
  ],
  'factor-key-opens': [
    at({}),
    on({}),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
    ...['key', 'previousKey', 'signingKey'].map((name) =>
      of(local, { machine: withApps(1), unread: new Set([name]) }),
    ),
  ],
  'next-key-published': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
  'previous-key-needed': [
    at({ previousKey: good }),
    of({ ...local, previousKey: good }, { machine: { ...sound, database: undefined } }),
    of(
      { ...local, previousKey: good },
      { machine: { ...sound, database: { kind: 'unavailable', reason: 'refused' } } },
    ),
  ],
  'issuer-given': [at({}), on({}), on({ database: postgresFacts })],
  'sqlite-durable': [at({}), on({ database: undefined }), on({ database: postgresFacts })],
  'sqlite-local': [at({}), on({})],
  'postgres-durable': [at({}), on({})],
  'clock-right': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
  'mail-reachable': [at({}), on({})],
  'mail-sent': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
  'events-handled': [
    at({}),
    on({ database: undefined }),
    on({ database: { kind: 'unavailable', reason: 'refused' } }),
  ],
}

/** Situations whose message depends on details, with the expected message. */
export const sayings: readonly (readonly [Situation, RegExp])[] = [
  [
    at({ issuer: 'https://auth.example' }),
    /^registration must be given when the issuer is not on this machine:.* 'closed', or open$/,
  ],
  [
    of({ ...online, registration: 'open', rateLimits: 'off' }),
    /^registration is open .*Fix: set registration: 'closed', or set rateLimits: 'on'$/,
  ],
  [
    of({ ...online, registration: 'open', defaultScopes: ['users:write'] }),
    /^defaultScopes must not have "users:write" while registration is open: .*Fix: take it out/,
  ],
  [
    of({ issuer: 'https://auth.example' }, { bind: { host: 'localhost', isIssuerGiven: true } }),
    /^registration must be given when the issuer is not on this machine:/,
  ],
  [
    listening('0.0.0.0', true, local),
    /^registration must be given when listening on "0\.0\.0\.0":/,
  ],
  [
    of({ ...local, key: good, signingKey: signingKeys.fit[0] }, { machine: withApps(2) }),
    /^key must decrypt .*; of 3 apps, it cannot decrypt 2\. Fix: give .* as key, or, .* as previousKey/,
  ],
  [on(withApps(1)), /^the file data\/keystile\.key must decrypt .* it cannot decrypt 1\. Fix: /],
  [
    on({ database: { ...postgresFacts, now: now + 61_000 } }),
    /^the clock must be within 60 s of PostgreSQL’s clock; it is 61 s behind/,
  ],
  [
    on({ database: { ...postgresFacts, now: now - 61_000 } }),
    /^the clock must be within 60 s of PostgreSQL’s clock; it is 61 s ahead/,
  ],
  [
    of({}, { faults: ['port must be a whole number'] }),
    /^port must be a whole number\. Fix: correct it; "keystile help" says/,
  ],
  [
    of({}, { faults: ['port must be free. Fix: stop the other'] }),
    /^port must be free\. Fix: stop the other$/,
  ],
  [
    listening('0.0.0.0', false),
    /^issuer must be given when the server listens on "0\.0\.0\.0"\. .*, or set host: 'localhost'$/,
  ],
  [
    listening('::', true, { ...local, registration: 'closed' }),
    /^issuer must be an https URL when the server listens on "::": over http/,
  ],
  [
    at({ signingKey: signingKeys.unfit[0] }),
    /^signingKey must be another key: .* Fix: give another private JWK, or leave signingKey out: /,
  ],
  [
    on({ database: { ...sqlite, nextKeyDueAt: now - 86_400_000 } }),
    /^the next signing key must be published; it is overdue for 1 day\. Fix: /,
  ],
  [
    on({ database: { ...sqlite, nextKeyDueAt: now - 2 * 86_400_000 } }),
    /^the next signing key must be published; it is overdue for 2 days\. Fix: /,
  ],
  ...[local.issuer, undefined].map(
    (issuer) =>
      [
        of(
          { issuer, database: 'postgres:///x', key: good },
          {
            bind: { host: 'localhost', isIssuerGiven: false },
            machine: { ...sound, database: { ...postgresFacts, issuer: undefined } },
          },
        ),
        /Fix: give the https URL of the server as issuer; for .*, set issuer: 'http:\/\/localhost:8000'$/,
      ] as const,
  ),
  [
    of({ ...local, key: `${good}x` }, { machine: withSealedKey(sqlite) }),
    /^key must be the key that .*; it is a different one\. Fix: give the key that was used/,
  ],
  [
    on({
      keyFile: { ...sound.keyFile!, secret: `${good}x` },
      database: { ...sqlite, sealedKey },
    }),
    /^the file data\/keystile\.key must .* a different one\. Fix: restore data\/keystile\.key from/,
  ],
  [
    on({ keyFile: undefined, database: { ...sqlite, sealedKey } }),
    /^the file keystile\.key must .*; it is missing\. Fix: restore keystile\.key from/,
  ],
  [on({ keyFile: { ...sound.keyFile!, secret: 'short' } }), /^data\/keystile\.key must /],
  [at({ key: 'short' }), /^key must .* Fix: make one with: .*, and pass it as key$/],
  [
    at({ issuer: 'http://auth.example' }),
    /^issuer must .* it is "http:\/\/auth\.example"\. Fix: put TLS in front and give the https URL as issuer; if .*, set dangerouslyAllowHttpIssuer: true$/,
  ],
  [
    at({ dangerouslyAllowHttpIssuer: true }),
    /^dangerouslyAllowHttpIssuer should be false; .* tokens\. Fix: .* remove dangerouslyAllowHttpIssuer$/,
  ],
  [
    at({ corsOrigins: ['http://a.example'] }),
    /^corsOrigins must .* has "http:\/\/a\.example"\. Fix: .*set dangerouslyAllowHttpIssuer: true$/,
  ],
  [
    at({ database: postgres }),
    /^database must use TLS and verify the certificate of "db\.internal": .* all data\. Fix: /,
  ],
  [
    on({ database: { ...postgresFacts, migrations: { ...newer, unknown: ['9998-a', '9999-b'] } } }),
    /^this release should be as new .* with 9998-a, 9999-b\. It can run on them/,
  ],
  [
    on({ database: { ...sqlite, synchronous: 1 } }),
    /^SQLite must wait .* after a power failure\. /,
  ],
  [
    of({ ...online, trustedProxies: undefined }),
    /Fix: set trustedProxies: \['10\.0\.0\.7'\] with .*, or set trustedProxies: \[\] if there is no proxy$/,
  ],
  [
    of({ ...online, rateLimits: 'off' }),
    /^rateLimits is off: .*\. Fix: set rateLimits: 'on', unless /,
  ],
  [
    at({ trustedProxies: ['0.0.0.0/0'] }),
    /^trustedProxies must not list a network as wide as "0\.0\.0\.0\/0": everyone in it/,
  ],
  [
    at({ corsOrigins: ['*'] }),
    /Fix: list each origin: set corsOrigins: \['https:\/\/app\.example', 'https:\/\/admin\.example'\]$/,
  ],
  ...(
    [
      [0x6969, /; it is on NFS\. /],
      [0x517b, /; it is on SMB\. /],
      [0xfe534d42, /; it is on SMB\. /],
      [0xff534d42, /; it is on CIFS\. /],
      [0x5346414f, /; it is on AFS\. /],
      [0x00c36400, /; it is on Ceph\. /],
    ] as const
  ).map(([databaseFileSystem, said]) => [on({ databaseFileSystem }), said] as const),
  [withoutFsync({}), /^PostgreSQL must have fsync on; .*, set dangerouslyAllowLostCommits: true$/],
]
