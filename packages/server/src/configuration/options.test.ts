import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exportPrivateJwk, exportPublicJwk, generateKey } from 'keystile/jwt'
import * as z from 'zod'
import { checkOptions, readOptions } from '../server/options.ts'
import { sentenceOf } from './options.ts'

const good = { issuer: 'http://localhost:3000', database: ':memory:' }

const findNone = (): undefined => undefined
const directory = {
  findByLogin: findNone,
  findBySubject: findNone,
  subject: () => 'x',
  active: () => true,
  scopes: () => [],
  passwordHash: findNone,
}

/** A directory whose functions are inherited members. */
class PeopleTable {
  findByLogin(): undefined {}
  findBySubject(): undefined {}
  subject(): string {
    return 'x'
  }
  active(): boolean {
    return true
  }
  scopes(): readonly string[] {
    return []
  }
  passwordHash(): undefined {}
}

function faultsOf(options: object): readonly string[] {
  return readOptions({ ...good, ...options }).faults.map(sentenceOf)
}

describe('checkOptions', () => {
  it('readOptions accepts `cached` and unknown properties in the option `users`', () => {
    for (const own of [{ cached: true }, { cached: false }, { findByLogins: findNone }])
      assert.deepEqual(faultsOf({ users: { ...directory, ...own } }), [])
  })

  it('readOptions reports both a missing and a misspelt function of the option `users`', () => {
    const { passwordHash, active: _missing, ...others } = directory
    const faults = faultsOf({ users: { ...others, passwordhash: passwordHash } })
    assert.deepEqual(
      faults.map((fault) => /^users\.\w+ (must be|is not known)/.exec(fault)?.[0]),
      ['users.active must be', 'users.passwordhash is not known'],
    )
  })

  it('checkOptions sets the default of each option that is missing', () => {
    const options = checkOptions({ ...good, scopes: { a: 'A' } })
    assert.equal(options.accessTokenSeconds, 600)
    assert.equal(options.sessionSeconds, 30 * 86_400)
    assert.equal(options.idleSeconds, 14 * 86_400)
    assert.equal(options.graceSeconds, 10)
    assert.equal(options.passwordMinLength, 15)
    assert.deepEqual(options.passwordHashing, { memoryKiB: 19_456, passes: 2 })
    assert.equal(options.auditSeconds, 90 * 86_400)
    assert.equal(options.registration, 'open')
    assert.equal(options.signingAlgorithm, 'ES256')
    assert.equal(options.cookieSession, false)
    assert.equal(options.dangerouslyAllowHttpIssuer, false)
    assert.equal(options.dangerouslyAllowLostCommits, false)
    assert.deepEqual(options.corsOrigins, [])
    assert.deepEqual(options.roles, {})
  })

  it('checkOptions throws one TypeError that lists every fault', () => {
    const bad = {
      issuer: 'ftp://x',
      database: ':memory:',
      accessTokenSeconds: 0,
      colour: 'red',
      defaultScopes: ['b'],
    }
    assert.throws(
      () => checkOptions(bad),
      (error: Error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, /issuer must be a URL/)
        assert.match(error.message, /accessTokenSeconds must be at least 10; it is 0/)
        assert.match(error.message, /defaultScopes must list declared scopes; it has "b"/)
        assert.match(error.message, /colour is not an option; the options are issuer, audience/)
        return true
      },
    )
  })
})

describe('trustedProxies', () => {
  it('checkOptions refuses trustedProxies with 0.0.0.0/0, or text that is not an address', () => {
    const given = { issuer: 'http://localhost:3000', database: ':memory:' }
    assert.equal(checkOptions(given).trustedProxies, undefined)
    assert.deepEqual(checkOptions({ ...given, trustedProxies: [] }).trustedProxies, [])
    assert.ok(checkOptions({ ...given, trustedProxies: ['10.0.0.0/8', '::1'] }))
    for (const [range, told] of [
      ['0.0.0.0/0', /trustedProxies must .*; it has "0\.0\.0\.0\/0", which is the whole Internet/],
      ['proxy', /trustedProxies must .*; it has "proxy", which is not an address such as/],
    ] as const)
      assert.throws(() => checkOptions({ ...given, trustedProxies: [range] }), told)
  })
})

describe('readOptions', () => {
  const table: readonly (readonly [string, object, RegExp])[] = [
    ['an issuer that is not a URL', { issuer: 'auth' }, /^issuer must be a URL/],
    [
      'an issuer with a query',
      { issuer: 'https://a.example/?x=1', registration: 'open' },
      /not have a user, a query or a fragment/,
    ],
    [
      'an issuer with an empty query',
      { issuer: 'https://a.example/?', registration: 'open' },
      /not have a user, a query or a fragment/,
    ],
    [
      'an issuer with an empty fragment',
      { issuer: 'https://a.example/#', registration: 'open' },
      /not have a user, a query or a fragment/,
    ],
    [
      'an issuer with a user',
      { issuer: 'https://u:p@a.example', registration: 'open' },
      /not have a user, a query or a fragment/,
    ],
    [
      'an issuer with a fragment',
      { issuer: 'https://a.example/#x', registration: 'open' },
      /not have a user, a query or a fragment/,
    ],
    [
      'an issuer with a user name but no password',
      { issuer: 'https://u@a.example', registration: 'open' },
      /not have a user, a query/,
    ],
    [
      'an issuer with a password but no user name',
      { issuer: 'https://:p@a.example', registration: 'open' },
      /not have a user, a query/,
    ],
    [
      'an issuer with a space in the host name',
      { issuer: 'https://a b', registration: 'open' },
      /^issuer must be a URL/,
    ],
    [
      'an issuer with the scheme xhttps',
      { issuer: 'xhttps://a.example', registration: 'open' },
      /^issuer must be a URL/,
    ],
    [
      'an http issuer on a private network address',
      { issuer: 'http://10.0.0.1', registration: 'open' },
      /^issuer must be an https URL/,
    ],
    [
      'an issuer that ends in a slash',
      { issuer: 'https://a.example/', registration: 'open' },
      /must be "https:\/\/a\.example", because.* it is "https:\/\/a\.example\/"/,
    ],
    [
      'an issuer with a capital letter in the host name',
      { issuer: 'https://A.example', registration: 'open' },
      /must be "https:\/\/a\.example", because.* it is "https:\/\/A\.example"/,
    ],
    [
      'an issuer with a default port',
      { issuer: 'https://a.example:443', registration: 'open' },
      /must be "https:\/\/a\.example", because.* it is "https:\/\/a\.example:443"/,
    ],
    [
      'an http issuer that is not on this machine',
      { issuer: 'http://a.example', registration: 'open' },
      /^issuer must be an https URL/,
    ],
    [
      'an http issuer whose host begins with 127.0.0.1',
      { issuer: 'http://127.0.0.1.evil.example', registration: 'open' },
      /^issuer must be an https URL/,
    ],
    [
      'registration left out for an issuer that is not on this machine',
      { issuer: 'https://a.example' },
      /^registration must be given/,
    ],
    [
      'PostgreSQL without a key',
      { database: 'postgres://localhost/x' },
      /^key must be given on PostgreSQL/,
    ],
    [
      'a PostgreSQL pool without a key',
      { database: { connect() {}, end() {}, on() {} } },
      /^key must be given on PostgreSQL/,
    ],
    ['a short key', { key: 'abcdefghijklmnopqrstuvwxyz01234' }, /at least 32 random characters/],
    [
      'a key that is not random',
      { key: 'passwordpasswordpasswordpasswordpassword' },
      /at least 32 random characters/,
    ],
    ['a scope with a space', { scopes: { 'a b': 'x' } }, /scopes must have names of visible ASCII/],
    ['a scope with a quote', { scopes: { 'a"': 'x' } }, /scopes must have names of visible ASCII/],
    ['an empty scope', { scopes: { '': 'x' } }, /scopes must have names of visible ASCII/],
    [
      'a default scope that is not declared',
      { defaultScopes: ['b'] },
      /defaultScopes must .* has "b", which is not declared/,
    ],
    [
      'a default scope with the name of a member that every object has',
      { defaultScopes: ['constructor'] },
      /not declared/,
    ],
    [
      'a role with a scope that is not declared',
      { roles: { r: ['b'] } },
      /roles must .* "r" has "b", which is not declared/,
    ],
    ['a second role named admin', { roles: { admin: [] } }, /roles must not have admin/],
    [
      'a cookieSession that is not a boolean',
      { cookieSession: 'true' },
      /^cookieSession must be true or false/,
    ],
    [
      'a cookie session with an issuer path that ends the cookie’s path too early',
      { cookieSession: true, issuer: 'http://localhost/a;b' },
      /^cookieSession must be false while issuer has ";"/,
    ],
    [
      'a cookie session whose cookie browsers would not store',
      {
        cookieSession: true,
        issuer: 'http://auth.internal',
        registration: 'closed',
        dangerouslyAllowHttpIssuer: true,
      },
      /^cookieSession must be false unless issuer is an https URL/,
    ],
    [
      'an issuer that is a number, with a cookie session',
      { cookieSession: true, issuer: 7 },
      /^issuer must be a string/,
    ],
    [
      'corsOrigins that are not a list',
      { corsOrigins: 'https://a.example' },
      /^corsOrigins must be a list of origins/,
    ],
    [
      'an origin that is not a string',
      { corsOrigins: [1] },
      /^corsOrigins\.0 must be an origin such as https:\/\/app\.example$/,
    ],
    ...[
      '*',
      'null',
      '',
      'a.example',
      'https://*.a.example',
      'https://',
      'https://a b',
      'ftp://a.example',
      'file:///x',
      'xhttps://a.example',
    ].map(
      (origin) =>
        [
          `an origin that no page can have: ${origin}`,
          { corsOrigins: [origin] },
          /^corsOrigins must .*such as https:\/\/app\.example.*; it has ".*"/,
        ] as const,
    ),
    ...[
      'https://a.example/',
      'https://a.example/x',
      'https://A.example',
      'https://a.example:443',
      'https://u:p@a.example',
      'https://a.example?x',
      'https://a.example#x',
    ].map(
      (origin) =>
        [
          `an origin with extra parts or another spelling: ${origin}`,
          { corsOrigins: ['https://b.example', origin] },
          /^corsOrigins must .* such as "https:\/\/a\.example"; it has ".*"/,
        ] as const,
    ),
    ...['http://a.example', 'http://10.0.0.1', 'http://localhost.a.example'].map(
      (origin) =>
        [
          `an http origin that is not on this machine: ${origin}`,
          { corsOrigins: [origin] },
          /^corsOrigins must list https origins.*; it has ".*"/,
        ] as const,
    ),
    ['access tokens that expire in less than 10 s', { accessTokenSeconds: 9 }, /at least 10/],
    [
      'access tokens that expire after more than a day',
      { accessTokenSeconds: 86_401 },
      /at most 86400/,
    ],
    [
      'an access token lifetime that is not a number',
      { accessTokenSeconds: '600' },
      /whole number.*; it is "600"$/,
    ],
    ['an access token lifetime of true', { accessTokenSeconds: true }, /; it is true$/],
    [
      'sessions shorter than a minute',
      { sessionSeconds: 59 },
      /sessionSeconds must be at least 60/,
    ],
    ['sessions longer than 400 days', { sessionSeconds: 400 * 86_400 + 1 }, /at most 34560000/],
    ['an idle time below a minute', { idleSeconds: 59 }, /idleSeconds must be at least 60/],
    ['an idle time above 400 days', { idleSeconds: 400 * 86_400 + 1 }, /at most 34560000/],
    [
      'a minimum password length below 8',
      { passwordMinLength: 7 },
      /passwordMinLength must be at least 8 \(NIST/,
    ],
    [
      'a minimum password length above 64',
      { passwordMinLength: 65 },
      /passwordMinLength must be at most 64/,
    ],
    [
      'a minimum password length that is not a whole number',
      { passwordMinLength: 8.5 },
      /must be a whole number from 8 to 64; it is 8.5/,
    ],
    [
      'hashing below OWASP’s minimum',
      { passwordHashing: { memoryKiB: 19_455, passes: 2 } },
      /passwordHashing must have memoryKiB: 19456 or more for passes: 2/,
    ],
    ['hashing without passes', { passwordHashing: { memoryKiB: 19_456 } }, /passwordHashing/],
    [
      'hashing with lanes',
      { passwordHashing: { memoryKiB: 19_456, passes: 2, lanes: 4 } },
      /passwordHashing/,
    ],
    [
      'hashing given as an algorithm name',
      { passwordHashing: 'argon2id' },
      /passwordHashing must be \{ memoryKiB, passes \}/,
    ],
    [
      'audit lines kept for less than a day',
      { auditSeconds: 86_399 },
      /auditSeconds must be at least 86400/,
    ],
    [
      'audit lines kept for more than 10 years',
      { auditSeconds: 3_650 * 86_400 + 1 },
      /at most 315360000/,
    ],
    ['a refresh grace period below 0', { graceSeconds: -1 }, /graceSeconds must be at least 0/],
    ['a refresh grace period above a minute', { graceSeconds: 61 }, /at most 60/],
    ['a refresh grace period that is not a whole number', { graceSeconds: 0.5 }, /whole number/],
    [
      'a signing key that is a public key',
      { signingKey: exportPublicJwk(generateKey('ES256')) },
      /^signingKey must be another key: .*private JWK/,
    ],
    [
      'a signing key of another algorithm',
      { signingKey: { kty: 'oct', alg: 'HS256', k: 'x'.repeat(43) } },
      /^signingKey must be another key: /,
    ],
    ['an audience with white space', { audience: 'a b' }, /^audience/],
    ['a profile that is not a schema', { profile: {} }, /Standard Schema/],
    [
      'a profile with fields that a Keystile user already has',
      { profile: z.object({ city: z.string(), roles: z.string(), id: z.string() }) },
      /^profile must not have roles, id: Keystile reserves these names/,
    ],
    [
      'an unsupported database',
      { database: 'mysql://localhost/x' },
      /^database must be a file, ':memory:' or a postgres: URL; it is a mysql: URL$/,
    ],
    [
      'a database that is not a URL, and hides what may be a password',
      { database: 'user:secret://x' },
      /^database must be a file, ':memory:' or a postgres: URL$/,
    ],
    [
      'a database URL after white space, and hides its password',
      { database: ' postgres://u:secret@h/x' },
      /^database must be a file, ':memory:' or a postgres: URL, without white space at its ends$/,
    ],
    [
      'a database URL without its colon, and hides its password',
      { database: 'postgres//u:secret@h/x' },
      /^database must be a file, ':memory:' or a postgres: URL$/,
    ],
    [
      'the connection parameters of libpq, and hides the password',
      { database: 'host=h user=u password=secret' },
      /^database must be a file, ':memory:' or a postgres: URL$/,
    ],
    [
      'an unknown value of registration',
      { issuer: 'https://a.example', registration: 'some' },
      /^registration must be open/,
    ],
    [
      'a key that is not a string',
      { database: 'postgres://localhost/x', key: 5 },
      /^key must be a string$/,
    ],
    [
      'a signing key that is not a key, and hides the value',
      { signingKey: 'x' },
      /^signingKey must be a private JWK, or a JWK Set whose first key is private$/,
    ],
    [
      'an unsupported signing algorithm',
      { signingAlgorithm: 'HS256' },
      /^signingAlgorithm must be one of ES256, EdDSA, RS256; it is "HS256"$/,
    ],
    ['a signing key that is null', { signingKey: null }, /^signingKey must be a private JWK/],
    [
      'a logger without some of its methods',
      { logger: { info() {}, error() {} } },
      /^logger must be an object with the methods/,
    ],
    ['a logger without methods', { logger: {} }, /^logger must be an object with the methods/],
    [
      'a clock without the method now',
      { clock: {} },
      /^clock must be an object with a method now; it is an object$/,
    ],
    ['an empty database', { database: '' }, /^database/],
    [
      'a database that is a number, and hides the number',
      { database: 5 },
      /^database must be a file, ':memory:' or a postgres: URL, or a pool of pg$/,
    ],
    [
      'an option users that is not an object',
      { users: 'people' },
      /^users must be an object of functions/,
    ],
    ['users that are null', { users: null }, /^users must be an object of functions/],
    ...['findByLogin', 'findBySubject', 'active', 'scopes', 'passwordHash'].map(
      (name) =>
        [
          `a user directory without ${name}`,
          { users: { ...directory, [name]: undefined } },
          new RegExp(`^users\\.${name} must be a function`),
        ] as const,
    ),
    [
      'a user directory whose active is not a function',
      { users: { ...directory, active: true } },
      /^users\.active must be a function/,
    ],
    [
      'a user directory whose subject is not a function',
      { users: { ...directory, subject: 'id' } },
      /^users\.subject must be a function/,
    ],
    [
      'a user directory whose savePasswordHash is not a function',
      { users: { ...directory, savePasswordHash: 'update' } },
      /^users\.savePasswordHash must be a function/,
    ],
    [
      'a user directory with a misspelt function',
      { users: { ...directory, passwordHash: undefined, passwordhash: () => '' } },
      /^users\.passwordhash is not known; did you mean passwordHash\?/m,
    ],
    [
      'a user directory with a misspelt optional function',
      { users: { ...directory, savePasswordhash: () => {} } },
      /^users\.savePasswordhash is not known; did you mean savePasswordHash\?/,
    ],
    [
      'a user directory whose cached is not true or false',
      { users: { ...directory, cached: 60 } },
      /^users\.cached must be true or false/,
    ],
    [
      'a user directory with setPassword but without email',
      { users: { ...directory, setPassword: () => true } },
      /^users\.email must be a function, because setPassword is given/,
    ],
    [
      'a user directory with needsFactor, without second factors',
      { users: { ...directory, needsFactor: () => true } },
      /^users must have no needsFactor while secondFactor is off\. Fix: set secondFactor: 'optional'/,
    ],
    [
      'roles that need a second factor, without second factors',
      { secondFactorRoles: ['admin'] },
      /^secondFactorRoles must be empty while secondFactor is off\. Fix: set secondFactor: /,
    ],
    [
      'a role that needs a second factor and is not declared',
      { secondFactor: 'optional', secondFactorRoles: ['admin', 'editor'] },
      /^secondFactorRoles must list declared roles; it has "editor", which is not in roles$/,
    ],
    [
      'mail together with a user directory without email',
      { users: directory, mail: { from: 'a@example.com', send() {} } },
      /^mail needs users\.email too: .* Fix: add email: \(user\) => user\.email/,
    ],
    [
      'a mail server together with a user directory without email',
      { users: directory, mailUrl: 'smtps://mail.example', mailFrom: 'a@example.com' },
      /^mailUrl needs users\.email too/,
    ],
    [
      'accountPagesUrl together with a user directory without setPassword',
      { users: { ...directory, email: () => null }, accountPagesUrl: 'https://app.example' },
      /^accountPagesUrl needs users\.setPassword too/,
    ],
    [
      'emailVerification together with the app’s own users',
      {
        users: { ...directory, email: () => null },
        mail: { from: 'a@example.com', send() {} },
        emailVerification: 'required',
      },
      /^emailVerification must be left out if users is given: it is only for Keystile's own/,
    ],
    [
      'roles together with the app’s own users',
      { users: directory, roles: {} },
      /^roles must be left out if users is given/,
    ],
    [
      'a profile together with the app’s own users',
      { users: directory, profile: z.object({}) },
      /^profile must be left out if users is given/,
    ],
    [
      'registration together with the app’s own users',
      { users: directory, registration: 'closed' },
      /^registration must be left out/,
    ],
  ]
  for (const [title, options, expected] of table) {
    it(`readOptions reports a fault for ${title}`, () => {
      const faults = faultsOf(options)
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0]!, expected)
    })
  }

  it('readOptions reports no fault for safe options', () => {
    const safe = [
      {},
      { issuer: 'http://127.0.0.1:8000/auth' },
      { issuer: 'http://[::1]:8000' },
      { issuer: 'https://auth.example/x', registration: 'closed' },
      { issuer: 'http://auth.internal', registration: 'open', dangerouslyAllowHttpIssuer: true },
      { database: 'postgres://localhost/x', key: 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a' },
      { scopes: { a: 'A' }, roles: { r: ['a', 'users:read'] }, defaultScopes: ['a'] },
      { accessTokenSeconds: 10 },
      { audience: 'https://orders.example' },
      { database: 'postgres://localhost/x', signingKey: exportPrivateJwk(generateKey('ES256')) },
      { logger: console, clock: Date },
      { accessTokenSeconds: 86_400 },
      { sessionSeconds: 60, idleSeconds: 60, graceSeconds: 0 },
      { sessionSeconds: 400 * 86_400, idleSeconds: 400 * 86_400, graceSeconds: 60 },
      { passwordMinLength: 8, passwordHashing: { memoryKiB: 47_104, passes: 1 } },
      { passwordMinLength: 64, passwordHashing: { memoryKiB: 1_048_576, passes: 4 } },
      { users: directory, passwordHashing: { memoryKiB: 65_536, passes: 3 } },
      { cookieSession: true },
      { cookieSession: true, issuer: 'https://auth.example', registration: 'closed' },
      { cookieSession: false, issuer: 'http://localhost/a;b' },
      {
        corsOrigins: [
          'https://a.example',
          'https://a.example:8443',
          'http://localhost:5173',
          'http://127.0.0.1',
          'http://[::1]:1',
        ],
      },
      { corsOrigins: ['http://a.example'], dangerouslyAllowHttpIssuer: true },
      { auditSeconds: 86_400 },
      { auditSeconds: 3_650 * 86_400 },
      { users: directory },
      { users: directory, issuer: 'https://auth.example' },
      { users: { ...directory, savePasswordHash() {} } },
      { users: { ...directory, email: () => null, setPassword: () => true } },
      {
        users: { ...directory, email: () => null },
        mail: { from: 'a@example.com', send() {} },
      },
      { users: new PeopleTable() },
    ]
    for (const options of safe) assert.deepEqual(faultsOf(options), [], JSON.stringify(options))
  })

  it('readOptions does not report a missing option if its value could not be read', () => {
    const options = { ...good, issuer: 'https://auth.example' }
    assert.deepEqual(readOptions(options, { unread: new Set(['registration']) }).faults, [])
  })

  it('readOptions reports each required setting that is missing', () => {
    const faults = readOptions({}).faults.map(sentenceOf)
    assert.equal(faults.length, 2)
    assert.match(faults[0] ?? '', /^issuer must be given: /)
    assert.match(faults[1] ?? '', /^database must be given: /)
  })

  it('readOptions shows wrong values escaped, shortened and without the secrets of a URL', () => {
    const fault = (options: object): string => faultsOf(options)[0] ?? ''
    assert.match(fault({ registration: 'a\n\u001b' }), /; it is "a\\u\{a\}\\u\{1b\}"$/)
    assert.match(fault({ registration: 'x'.repeat(200) }), /; it is "x{77}…"$/)
    for (const url of [
      'https://u:hunter2@a/',
      'https://u:hunt/er2@a',
      'https://a/?key=hunter2',
      'u:hunter2@a',
    ])
      assert.doesNotMatch(faultsOf({ issuer: url, registration: url }).join(), /hunt/, url)
  })

  it('for an app, readOptions suggests fixes in code, never environment variables or flags', () => {
    const faults = faultsOf({
      issuer: 'https://a.example',
      database: 'postgres://localhost/x',
    }).join()
    assert.match(
      faults,
      /registration must be given.*\n {4}fix: set registration: 'closed', or open/,
    )
    assert.match(faults, /key must be given on PostgreSQL.*\n {4}fix: .*, and pass it as key/)
    assert.doesNotMatch(faults, /KEYSTILE_|--/)
  })

  it('readOptions reports an invalid key without showing the key', () => {
    assert.ok(!faultsOf({ key: 'hunter2' }).join().includes('hunter2'))
  })
})
