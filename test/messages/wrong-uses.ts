// Wrong configurations and usages, as a reader of the docs would write them. The page
// docs/reference/messages.md shows each with its message.
import { createKeystile } from '@keystile/server'
import { hash } from '@node-rs/bcrypt'
import { createVerifier, protectedResource } from 'keystile'
import { createClient } from 'keystile/client'
import { createGuard, mount } from 'keystile/hono'
import { silentLogger } from 'keystile/internal'
import { generateKey, importKey, signJwt } from 'keystile/jwt'
import { createTestIssuer } from 'keystile/testing'
import { createGuard as createWebGuard } from 'keystile/web'
import { callCommand } from '../../packages/server/test-support/command.ts'

/** Every secret in these uses contains this word, and no message may contain it. */
export const secretMark = 'hunter2'
const shortSecret = `${secretMark}-short`

export interface WrongUse {
  /** The wrong code, or the wrong command with its environment. */
  readonly wrong: string
  /** Runs the wrong code or command, and returns or throws the message. */
  run(): unknown
}

export interface WrongUses {
  readonly title: string
  readonly uses: readonly WrongUse[]
}

type Options = Readonly<Record<string, unknown>>

/** Opens Keystile with options that types would refuse. */
const open = (options: Options): unknown => createKeystile(options as never)
const app = { issuer: 'http://localhost:3000', database: ':memory:' }
const withOptions = (wrong: string, options: Options): WrongUse => ({
  wrong: `createKeystile({ ${wrong} })`,
  run: () => open({ ...app, ...options }),
})

const silentDirectory = {
  findByLogin: () => undefined,
  findBySubject: () => undefined,
  subject: () => '1',
  active: () => true,
  scopes: () => [],
  passwordHash: () => undefined,
}

const embedded: readonly WrongUse[] = [
  { wrong: 'createKeystile({})', run: () => open({}) },
  withOptions("isuer: 'https://auth.example'", { isuer: 'https://auth.example' }),
  withOptions("issuer: 'auth.example'", { issuer: 'auth.example' }),
  withOptions("issuer: 'http://auth.example'", {
    issuer: 'http://auth.example',
    registration: 'closed',
  }),
  withOptions("issuer: 'https://auth.example'", { issuer: 'https://auth.example' }),
  withOptions("database: 'postgres://app:1#…@db/app'", {
    database: `postgres://app:1#${secretMark}@db/app`,
  }),
  withOptions("database: 'mysql://root:…@db/app'", {
    database: `mysql://root:${secretMark}@db/app`,
  }),
  withOptions("database: 'postgres://…'", {
    database: `postgres://app:${secretMark}@db.example/app`,
  }),
  withOptions("database: 'postgres://…@127.0.0.1:1/app', key", {
    database: `postgres://app:${secretMark}@127.0.0.1:1/app`,
    key: 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a',
  }),
  withOptions("key: 'a short one'", { key: shortSecret }),
  withOptions("accessTokenSeconds: '600'", { accessTokenSeconds: '600' }),
  withOptions('accessTokenSeconds: 0', { accessTokenSeconds: 0 }),
  withOptions('passwordMinLength: 4', { passwordMinLength: 4 }),
  withOptions('rateLimits: false', { rateLimits: false }),
  withOptions("corsOrigins: ['*']", { corsOrigins: ['*'] }),
  withOptions("corsOrigins: ['https://app.example/login']", {
    corsOrigins: ['https://app.example/login'],
  }),
  withOptions("trustedProxies: ['everyone']", { trustedProxies: ['everyone'] }),
  withOptions("signingAlgorithm: 'HS256'", { signingAlgorithm: 'HS256' }),
  withOptions("defaultScopes: ['items:read']", { defaultScopes: ['items:read'] }),
  withOptions("roles: { editor: ['items:write'] }", { roles: { editor: ['items:write'] } }),
  withOptions('logger: console.log', { logger: console.log }),
  {
    wrong: 'createKeystile({ users }), whose users have a numeric id and no subject, at a login',
    run: loginWithNumericId,
  },
  withOptions('users: { findByLogin }', { users: { findByLogin: () => undefined } }),
  {
    wrong: 'createKeystile({ users, mail }), with users that have no function email',
    run: () => open({ ...app, users: silentDirectory, mail: { from: 'a@example.com', send() {} } }),
  },
]

/** Logs in a user whose `id` is a number. Returns the message of the error in the log. */
async function loginWithNumericId(): Promise<string> {
  const user = { id: 7, hash: await hash('a long password', 4) }
  let said = ''
  const keystile = await createKeystile({
    ...app,
    logger: {
      ...silentLogger,
      error: (fields) =>
        (said = 'err' in fields && fields.err instanceof Error ? fields.err.message : ''),
    },
    // @ts-expect-error: the compiler demands `subject`, but JavaScript has no compiler
    users: {
      findByLogin: () => user,
      findBySubject: () => user,
      active: () => true,
      scopes: () => [],
      passwordHash: () => user.hash,
    },
  })
  const form = { grant_type: 'password', username: 'ada', password: 'a long password' }
  const body = new URLSearchParams(form)
  await keystile.fetch(new Request(`${app.issuer}/token`, { method: 'POST', body }))
  await keystile.close()
  return said
}

/**
 * Returns the wrong use of a command of the stand-alone server. The message is what the command
 * prints on standard error.
 */
const command = (args: readonly string[], env: Readonly<Record<string, string>> = {}): WrongUse => {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value} `)
  const wrong = [...variables, 'keystile ', args.join(' ')].join('').replaceAll(secretMark, '…')
  return {
    wrong,
    async run() {
      const { code, stderr } = await callCommand(args, { cwd: '/', env })
      if (code !== 1) throw new Error(`the command must fail: ${wrong}`)
      return stderr.trimEnd()
    },
  }
}

const standAlone: readonly WrongUse[] = [
  command(['serve', '--isuer', 'https://auth.example']),
  command(['serve', '--verbose']),
  command(['serve', '--port']),
  command(['serve', '--port', 'eighty']),
  command(['serve'], { KEYSTILE_PORT: '99999' }),
  command(['serve', '--host', '0.0.0.0']),
  command(['serve'], { KEYSTILE_ISSUER: 'http://auth.example', KEYSTILE_REGISTRATION: 'closed' }),
  command(['serve', '--database', `mysql://root:${secretMark}@db/app`]),
  command(['serve'], { DATABASE_URL: `postgres://app:${secretMark}@db.example/app` }),
  command(['serve'], { KEYSTILE_KEY: shortSecret }),
  command(['serve'], { KEYSTILE_KEY_FILE: '/nowhere/keystile.key' }),
  command(['serve'], { KEYSTILE_RATE_LIMITS: 'maybe' }),
  command(['serve'], { KEYSTILE_LOG_LEVEL: 'loud' }),
  command(['serve', '--cors-origins', '*']),
  command(['serve', '--access-token-seconds', '10m']),
  command(['serve', '--config', '/nowhere/keystile.config.json']),
  command(['usr', 'create', 'ada']),
  command(['user', 'creat', 'ada']),
  command(['user', 'create']),
  command(['user', 'disable', 'ada', '--database', '/nowhere/keystile.db']),
]

const issuer = 'https://auth.example'
const verifierWith = (wrong: string, options: Options): WrongUse => ({
  wrong: `createVerifier({ ${wrong} })`,
  run: () =>
    createVerifier({ issuer, audience: 'orders', revocations: 'none', ...options } as never),
})

const verifiers: readonly WrongUse[] = [
  {
    wrong: "createVerifier({ issuer, audience: 'orders' })",
    run: () => createVerifier({ issuer, audience: 'orders' } as never),
  },
  verifierWith("audience: ''", { audience: '' }),
  verifierWith('audience: process.env.AUDIENCE', { audience: undefined }),
  verifierWith("audiences: ['orders']", { audiences: ['orders'] }),
  verifierWith("issuer: 'http://auth.example'", { issuer: 'http://auth.example' }),
  verifierWith("keys: 'a short secret'", { keys: shortSecret }),
  verifierWith("keys: 'https://auth.example/jwks.json'", {
    keys: 'https://auth.example/jwks.json',
  }),
  verifierWith("jwksUri: 'http://auth.example/jwks'", { jwksUri: 'http://auth.example/jwks' }),
  verifierWith('revocations: { clientId, clientSecret }', {
    revocations: { clientId: 'orders', clientSecret: secretMark },
  }),
  verifierWith("revocations: { clientId, clientSecret: '', … }", {
    revocations: { clientId: 'orders', clientSecret: '', whenStale: 'refuse' },
  }),
  verifierWith('issuer: [first, second], revocations: { clientId, … }', {
    issuer: [issuer, 'https://login.example'],
    revocations: { clientId: 'orders', clientSecret: secretMark, whenStale: 'refuse' },
  }),
  verifierWith("algorithms: ['none']", { algorithms: ['none'] }),
  verifierWith('clockToleranceSeconds: 300', { clockToleranceSeconds: 300 }),
  verifierWith('clock: performance', { clock: performance }),
  verifierWith("onRefused: 'log'", { onRefused: 'log' }),
  verifierWith('logger: console.log', { logger: console.log }),
]

const { verifier } = createTestIssuer()
const scopes = { 'items:read': 'Read items' }
const guard = createGuard({ verifier, scopes })
/** The guard without its types, which would refuse these uses. */
const untyped = guard as unknown as ((...args: unknown[]) => unknown) & {
  anyOf(...args: unknown[]): unknown
}

const withUser = createGuard({ verifier, user: () => ({}) }) as unknown as typeof untyped

const publishedAs = (resource: string): WrongUse => ({
  wrong: `protectedResource({ resource: '${resource}', verifier })`,
  run: () => protectedResource({ resource, verifier }),
})

const guards: readonly WrongUse[] = [
  { wrong: 'createGuard({})', run: () => createGuard({} as never) },
  {
    wrong: 'createGuard(createKeystile(…))',
    run: () => createGuard(Promise.resolve() as never),
  },
  { wrong: 'mount(createKeystile(…))', run: () => mount(Promise.resolve() as never) },
  { wrong: 'mount(guard)', run: () => mount(guard as never) },
  publishedAs('http://orders.example'),
  publishedAs('https://orders.example#v1'),
  publishedAs('https://orders.example:443/v1'),
  publishedAs('https://orders.example'),
  { wrong: "guard('items:raed')", run: () => untyped('items:raed') },
  { wrong: 'guard({ scopes: config.scopes })', run: () => untyped({ scopes: undefined }) },
  { wrong: 'guard({ scopes: [] })', run: () => untyped({ scopes: [] }) },
  { wrong: "guard({ scope: 'items:read' })", run: () => untyped({ scope: 'items:read' }) },
  { wrong: "guard({ maxAgeSeconds: '300' })", run: () => untyped({ maxAgeSeconds: '300' }) },
  { wrong: 'guard({ acr: [] })', run: () => untyped({ acr: [] }) },
  { wrong: "guard({ acr: 'pwd otp' })", run: () => untyped({ acr: 'pwd otp' }) },
  { wrong: 'guard({ verified: false })', run: () => withUser({ verified: false }) },
  {
    wrong: 'createGuard({ verifier })({ verified: true })',
    run: () => createGuard({ verifier })({ verified: true }),
  },
  { wrong: 'guard.anyOf()', run: () => untyped.anyOf() },
  {
    wrong: 'guard.caller(request), before any guard',
    run: () => createWebGuard({ verifier }).caller(new Request('http://localhost/')),
  },
]

const others: readonly WrongUse[] = [
  {
    wrong: "signJwt({ sub: 'ada' }, key, {})",
    run: () => signJwt({ sub: 'ada' }, generateKey('ES256'), {}),
  },
  {
    wrong: 'signJwt({ nbf: Date.now() }, key, …)',
    run: () =>
      signJwt({ sub: 'ada', nbf: Date.now() }, generateKey('ES256'), { expiresInSeconds: 60 }),
  },
  {
    wrong: "importKey({ secret: 'a short one', algorithm: 'HS256' })",
    run: () => importKey({ secret: shortSecret, algorithm: 'HS256' }),
  },
  {
    wrong: "createClient({ issuer: 'http://auth.example' })",
    run: () => createClient({ issuer: 'http://auth.example' }),
  },
]

export const wrongUses: readonly WrongUses[] = [
  { title: 'An app with Keystile inside', uses: embedded },
  { title: 'The stand-alone server and its commands', uses: standAlone },
  { title: 'Verifiers', uses: verifiers },
  { title: 'Guards', uses: guards },
  { title: 'Tokens and clients', uses: others },
]

/** Returns the message for a wrong use. @throws {Error} if there is no message */
export async function messageOf({ wrong, run }: WrongUse): Promise<string> {
  try {
    const said = await run()
    if (typeof said === 'string') return said
  } catch (error) {
    if (error instanceof TypeError || error instanceof Error) return error.message
    throw error
  }
  throw new Error(`there must be a message for: ${wrong}`)
}
