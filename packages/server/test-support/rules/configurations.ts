// Generates safe and unsafe configurations. Each option is chosen independently, so that all
// combinations can occur.
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { exportPrivateJwk, exportPublicJwk, generateKey, type Jwk, type JwkSet } from 'keystile/jwt'
import type { Bind, Machine, Situation as SituationOf } from '../../src/feature/situation.ts'
import type { RuleOptions } from '../../src/server/features.ts'
import { lastMigration, printedSecrets, sealedKeys } from './predicates.ts'

const rsaOf = (modulusLength: number, publicExponent: number): Jwk => ({
  ...generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey.export({
    format: 'jwk',
  }),
  alg: 'RS256',
})

export type Situation = SituationOf<RuleOptions>

const [ours, next] = [generateKey('ES256'), generateKey('EdDSA')]

export const signingKeys = {
  fit: [exportPrivateJwk(ours), exportPrivateJwk(next), rsaOf(2048, 65537)],
  fitSets: [
    { keys: [exportPrivateJwk(ours)] },
    { keys: [exportPrivateJwk(ours), exportPublicJwk(next), rsaOf(2048, 65537)] },
  ],
  unfitSets: [
    { keys: [] },
    { keys: [exportPublicJwk(ours), exportPrivateJwk(next)] },
    { keys: [exportPrivateJwk(ours), exportPublicJwk(ours)] },
    { keys: [exportPrivateJwk(ours), rsaOf(1024, 65537)] },
    { keys: [exportPrivateJwk(ours), exportPublicJwk(generateKey('ES384'))] },
    { keys: [exportPrivateJwk(ours), exportPrivateJwk(generateKey('HS256'))] },
  ],
  unfit: [
    rsaOf(1024, 65537),
    rsaOf(2048, 3),
    exportPublicJwk(generateKey('ES256')),
    exportPrivateJwk(generateKey('ES384')),
  ],
} as const

const path = fc.constantFrom('', '/auth')
const url = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    fc.oneof(
      fc.constantFrom(
        'localhost',
        '127.0.0.1',
        '127.8.9.10',
        '[::1]',
        'auth.example',
        '127.0.0.1.evil.example',
        '[::2]',
      ),
      fc.ipV4(),
    ),
    fc.constantFrom('', ':8000'),
  )
  .map(([scheme, host, port]) => `${scheme}://${host}${port}`)
const secret = fc.oneof(
  fc.constantFrom(...printedSecrets),
  fc.constantFrom(...sealedKeys.map(({ secret }) => secret)),
  fc.string({
    minLength: 30,
    maxLength: 44,
    unit: fc.constantFrom(...'0123456789abcdefghijkmnpqrtuvwxyz_-'.split('')),
  }),
  fc.string({
    minLength: 30,
    maxLength: 44,
    unit: fc.constantFrom(...'0123456789abcdefg'.split('')),
  }),
)
const network = fc.oneof(
  fc
    .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
    .map(([address, length]) => `${address}/${length}`),
  fc
    .tuple(
      fc.constantFrom('::', 'fc00::', '2001:db8::', '0:0:0:0:0:ffff:a00:0', '::ffff:0:0'),
      fc.integer({ min: 0, max: 128 }),
    )
    .map(([address, length]) => `${address}/${length}`),
  fc.constantFrom('0.0.0.0/0', '::/0', '10.0.0.0/8', '10.1.2.3'),
)
const database = fc.oneof(
  fc.constantFrom<RuleOptions['database'][]>(':memory:', 'data/keystile.db', {
    connect() {},
    end() {},
    on() {},
  } as never),
  fc
    .tuple(
      fc.constantFrom('postgres', 'postgresql'),
      fc.constantFrom('', 'u:p@'),
      fc.constantFrom('localhost', '127.0.0.1', 'db.internal', '10.0.0.5', '[fd00::5]'),
      fc.constantFrom(
        '',
        '?sslmode=verify-full',
        '?sslmode=require',
        '?sslmode=disable',
        '?x=1&sslmode=verify-full',
      ),
    )
    .map(([scheme, user, host, query]) => `${scheme}://${user}${host}/keystile${query}`),
)
const lifetime = (...at: number[]): fc.Arbitrary<number> =>
  fc.constantFrom(...at.flatMap((seconds) => [seconds - 1, seconds, seconds + 1]))

/** Generates options of `createKeystile`. Each option has a valid type, but may be unsafe. */
export const optionsArbitrary: fc.Arbitrary<RuleOptions> = fc
  .record(
    {
      issuer: fc.tuple(url, path).map((parts) => new URL(parts.join('')).href.replace(/\/$/, '')),
      database,
      key: secret,
      previousKey: secret,
      signingAlgorithm: fc.constantFrom('ES256', 'EdDSA', 'RS256'),
      signingKey: fc.constantFrom<(Jwk | JwkSet)[]>(
        ...signingKeys.fit,
        ...signingKeys.unfit,
        ...signingKeys.fitSets,
        ...signingKeys.unfitSets,
      ),
      registration: fc.constantFrom('open', 'closed'),
      defaultScopes: fc.subarray(['users:read', 'users:write'] as const),
      accessTokenSeconds: lifetime(600, 3600, 7200),
      sessionSeconds: lifetime(3600, 2_592_000, 31_536_000),
      idleSeconds: lifetime(3600, 2_592_000, 31_536_000),
      graceSeconds: lifetime(1, 10, 30, 59),
      cookieSession: fc.boolean(),
      loginPages: fc.constantFrom('on', 'off'),
      dangerouslyAllowLostCommits: fc.boolean(),
      corsOrigins: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: url.map((text) => new URL(text).origin) },
          fc.constantFrom('*', 'null', 'https://*.example'),
        ),
        {
          maxLength: 2,
        },
      ),
      trustedProxies: fc.array(network, { maxLength: 2 }),
      rateLimits: fc.constantFrom('on', 'off'),
      secondFactor: fc.constantFrom('off', 'optional', 'required'),
      passwordMinLength: fc.constantFrom(8, 14, 15, 64),
      dangerouslyAllowHttpIssuer: fc.boolean(),
      mailUrl: fc.constantFrom(
        'console:',
        'smtp://localhost:2525',
        'smtp://127.0.0.1?tls=off',
        'smtps://app:hunter2@mail.example',
        'smtp://app:hunter2@mail.example:587',
        'smtp://mail.example:25?tls=off',
        'smtp://[::2]?tls=off',
      ),
    },
    { requiredKeys: ['issuer', 'database'] },
  )
  .map((options) => ({
    ...(options as RuleOptions),
    ...(options.mailUrl !== undefined && { mailFrom: 'no-reply@example.com' }),
  }))

const bindArbitrary: fc.Arbitrary<Bind> = fc.record({
  host: fc.constantFrom('localhost', '127.0.0.1', '::1', '0.0.0.0', '::', '192.0.2.7'),
  isIssuerGiven: fc.boolean(),
})

const mode = fc.oneof(fc.constantFrom(0o600, 0o400, undefined), fc.integer({ min: 0, max: 0o777 }))
const mostlyFalse = fc.constantFrom(false, false, false, true)
const now = Date.UTC(2026, 10, 25)
const instant = fc.integer({ min: -120, max: 120 }).map((seconds) => now + seconds * 1000)
const storedIssuer = fc.constantFrom(undefined, 'http://localhost:8000', 'https://auth.example')
const file = (path: string): fc.Arbitrary<Machine['databaseFiles'][number]> =>
  fc.record({ path: fc.constant(path), mode, isForeign: mostlyFalse, modifiedAt: instant })

const migrations = fc.record({
  missing: fc.constantFrom([], [], [lastMigration], ['0009-mail-proofs']),
  unknown: fc.constantFrom([], [], ['9998-later'], ['0003-other']),
  isEmpty: fc.constantFrom(false, false, true),
  mark: fc.constantFrom(
    { oldest: 16, release: '0.1.0' },
    { oldest: 9998, release: '9.0.0' },
    undefined,
  ),
  mayMigrate: fc.boolean(),
})
const sealedKey = fc.option(fc.constantFrom(...sealedKeys), { nil: undefined })

const apps = fc.constantFrom(
  undefined,
  { checked: 3, unreadable: 0 },
  { checked: 3, unreadable: 0 },
  { checked: 3, unreadable: 2 },
)

const nextKeyDueAt = fc.option(
  fc.integer({ min: -3, max: 3 }).map((days) => now + days * 86_400_000),
  { nil: undefined },
)

const machineArbitrary: fc.Arbitrary<Machine> = fc.record({
  nodeVersion: fc.constantFrom('20.20.0', '24.14.9', '24.15.0', '24.16.1', '25.0.0', '26.1.0'),
  now: fc.constant(now),
  keyFile: fc.option(
    fc
      .tuple(file('data/keystile.key'), fc.option(secret, { nil: undefined }))
      .map(([file, secret]) => ({ ...file, secret })),
    { nil: undefined },
  ),
  secretFiles: fc.array(file('/run/secrets/keystile'), { maxLength: 2 }),
  databaseFiles: fc.array(file('data/keystile.db'), { maxLength: 2 }),
  openFolder: fc.constantFrom(undefined, undefined, 'data'),
  databaseFileSystem: fc.constantFrom(undefined, 0xef53, 0x6969, 0x517b, 0xfe534d42, 0xff534d42),
  mailServer: fc.constantFrom(
    undefined,
    { host: 'mail.example', port: 587, fault: undefined },
    { host: 'mail.example', port: 587, fault: { cause: 'the host is unknown', fix: 'x' } },
  ),
  database: fc.oneof(
    fc.constant(undefined),
    fc.constant({ kind: 'unavailable' as const, reason: 'connect ECONNREFUSED' }),
    fc.record({
      kind: fc.constant('sqlite' as const),
      issuer: storedIssuer,
      migrations,
      sealedKey,
      needsPreviousKey: fc.constantFrom(undefined, true, false),
      apps,
      nextKeyDueAt,
      synchronous: fc.integer({ min: 0, max: 3 }),
      latest: fc.option(instant, { nil: undefined }),
      deadMails: fc.constantFrom(0, 1, 20),
      deadEvents: fc.constantFrom(0, 1),
    }),
    fc.record({
      kind: fc.constant('postgres' as const),
      issuer: storedIssuer,
      migrations,
      sealedKey,
      needsPreviousKey: fc.constantFrom(undefined, true, false),
      apps,
      nextKeyDueAt,
      fsync: fc.constantFrom('on', 'off'),
      now: instant,
      deadMails: fc.constantFrom(0, 1),
      deadEvents: fc.constantFrom(0, 1, 20),
    }),
  ),
})

export const situationArbitrary: fc.Arbitrary<Situation> = fc
  .record({
    options: optionsArbitrary,
    bind: fc.option(bindArbitrary, { nil: undefined }),
    flags: fc.option(fc.uniqueArray(fc.constantFrom('database', 'host')), { nil: undefined }),
    machine: fc.option(machineArbitrary, { nil: undefined }),
    faults: fc.option(
      fc.array(fc.constantFrom('port is a whole number', 'colour is not a setting')),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ options, bind, flags, machine, faults }) => ({
    options,
    unread: new Set<string>(),
    bind,
    ...(flags && { flags: new Set(flags) }),
    ...(machine && { machine }),
    ...(faults && { faults }),
  }))

/** Generates environment variables that an operator may set. */
export const environmentArbitrary: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .tuple(optionsArbitrary, fc.option(bindArbitrary, { nil: undefined }))
  .map(([options, bind]) => {
    const texts: Record<string, string | undefined> = {
      KEYSTILE_HOST: bind?.host,
      KEYSTILE_ISSUER: bind && !bind.isIssuerGiven ? undefined : options.issuer,
      KEYSTILE_DATABASE: typeof options.database === 'string' ? options.database : undefined,
      KEYSTILE_KEY: options.key,
      KEYSTILE_REGISTRATION: options.registration,
      KEYSTILE_ACCESS_TOKEN_SECONDS: options.accessTokenSeconds?.toString(),
      KEYSTILE_CORS_ORIGINS: options.corsOrigins?.length
        ? options.corsOrigins.join(',')
        : undefined,
      KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER: options.dangerouslyAllowHttpIssuer?.toString(),
    }
    return Object.fromEntries(
      Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
  })
