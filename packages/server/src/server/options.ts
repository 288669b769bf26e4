import { z } from 'zod'
import { isScopeName, silentLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import type { Jwk, SigningKey } from 'keystile/jwt'
import { adminRole, builtInScopes, type BuiltInScope, type ScopeRules } from '../features/scopes/scopes.ts'
import { maxAccessTokenSeconds, type Lifetimes } from '../features/sessions/lifetimes.ts'
import { findSealingSecretFault } from '../features/signing-keys/sealing-secret.ts'
import { issuingAlgorithms, signingKeyOf, type IssuingAlgorithm } from '../features/signing-keys/signing-keys.ts'
import { directoryFunctions, type UserDirectory } from '../features/users/directory.ts'
import type { ProfileSchema, PublicUser } from '../features/users/users.ts'
import { isPostgresUrl } from '../storage/open.ts'
import type { Pool } from '../storage/postgres.ts'
import { ConfigurationError } from '../base/configuration-error.ts'
import { findProxyFault } from './proxies.ts'
import { findIssuerFaults, findOriginFaults, isOnThisMachine } from './urls.ts'

/** What `createKeystile` is told. `S`: the declared scopes, `P`: the profile's fields, `U`: the user of the app's own directory. */
export type KeystileOptions<S extends string, P extends object, U = PublicUser & P> = CommonOptions<S> &
  (AccountOptions<S, P> | DirectoryOptions<S, U>)

interface CommonOptions<S extends string> {
  /** `iss` of all tokens, and where the endpoints are: an https URL without query, or http on this machine alone. */
  readonly issuer: string
  /** Who the tokens are for: their `aud`. Default: the issuer. */
  readonly audience?: string
  /** A file, `:memory:`, a `postgres:` URL, or a pool of pg that stays yours. */
  readonly database: string | Pool
  /** The scopes there are, each with its description. `users:read` and `users:write` are always declared. */
  readonly scopes?: Readonly<Record<S, string>>
  /** Scopes that every user holds. Default: none. */
  readonly defaultScopes?: readonly NoInfer<S | BuiltInScope>[]
  /** Life of an access token in seconds, 10 to 86,400. Default: 600. */
  readonly accessTokenSeconds?: number
  /**
   * How long a login lasts, however often it is refreshed: seconds, 60 to 34,560,000 (400 days). Default: 30 days. Holds for
   * logins from now on.
   */
  readonly sessionSeconds?: number
  /** How long a login lasts that is not refreshed: seconds, 60 to 34,560,000. Default: 14 days. */
  readonly idleSeconds?: number
  /**
   * How long a used refresh token is answered with its successor again, for clients that send twice or lose an answer: seconds, 0 to
   * 60. Default: 10. With 0 a token is used strictly once, and whoever sends twice is logged out.
   */
  readonly graceSeconds?: number
  /** How long the audit record keeps a line: seconds, 86,400 (a day) to 315,360,000 (10 years). Default: 90 days. */
  readonly auditSeconds?: number
  /**
   * The secret under which private signing keys are sealed: 32 random characters or more. Default: the file
   * `keystile.key` beside a SQLite file, made at the first start; PostgreSQL has no default.
   */
  readonly key?: string
  /** The algorithm that tokens are signed with. Default: ES256. */
  readonly signingAlgorithm?: IssuingAlgorithm
  /** A private JWK that signs instead of keys that Keystile makes itself. */
  readonly signingKey?: Jwk
  /**
   * Whether browsers may keep the refresh token in a cookie that no script can read: adds `POST /session`, `POST
   * /session/refresh` and `DELETE /session`. Default: false.
   */
  readonly cookieSession?: boolean
  /**
   * Origins, such as `https://app.example`, whose pages may ask our endpoints although they come from elsewhere. Default: none
   * but the issuer's own.
   */
  readonly corsOrigins?: readonly string[]
  /**
   * Whether guesses are limited: logins by account and by address, and what else can be guessed or filled up. `off` is for those
   * who do it in front of Keystile. Default: on.
   */
  readonly rateLimits?: 'on' | 'off'
  /**
   * Addresses, or ranges such as `10.0.0.0/8`, of the proxies whose `X-Forwarded-For` is believed. An empty list says that no
   * proxy stands before Keystile. Default: nobody is believed, and nothing is limited by address.
   */
  readonly trustedProxies?: readonly string[]
  /** Allows an http issuer, and http in `corsOrigins`, that is not this machine: tokens and passwords then cross the network unprotected. */
  readonly dangerouslyAllowHttpIssuer?: boolean
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Where Keystile keeps the users. */
interface AccountOptions<S extends string, P extends object> {
  /** Named lists of scopes. `admin` is built in and holds all. */
  readonly roles?: Readonly<Record<string, readonly NoInfer<S | BuiltInScope>[]>>
  /** Whether strangers may register at `POST /users`. Default: open where the issuer is on this machine; else it must be said. */
  readonly registration?: 'open' | 'closed'
  /** A schema for fields of a user beside ours, by the Standard Schema specification. */
  readonly profile?: ProfileSchema<P>
  readonly users?: undefined
}

/** Where the application keeps them: there are no roles, no profile, and none of the endpoints below `/users`. */
interface DirectoryOptions<S extends string, U> {
  /** The application's own users. */
  readonly users: UserDirectory<U, NoInfer<S | BuiltInScope>>
  readonly roles?: undefined
  readonly registration?: undefined
  readonly profile?: undefined
}

function isLogger(value: unknown): boolean {
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof (value as Logger | null)?.[name] === 'function',
  )
}

function findMissingFunctions(
  directory: UserDirectory<unknown>,
  { addIssue }: z.core.$RefinementCtx<UserDirectory<unknown>>,
): void {
  const { required, optional } = directoryFunctions
  for (const name of [...required, ...optional.filter((name) => directory[name] !== undefined)]) {
    if (typeof directory[name] !== 'function') addIssue({ code: 'custom', path: [name], message: 'is a function' })
  }
}

const daySeconds = 24 * 60 * 60
const maxSessionSeconds = 400 * daySeconds

const seconds = (min: number, max: number): z.ZodNumber =>
  z
    .int({ error: `is a whole number of seconds from ${min} to ${max}` })
    .min(min, { error: `is at least ${min}` })
    .max(max, { error: `is at most ${max}` })
const scopeNames = z.array(z.string({ error: 'is the name of a scope' }), { error: 'is a list of scopes' })
const filledString = z.string({ error: 'is a string' }).min(1, { error: 'is not empty' })

/** The shape of the options. Faults that take two of them to see are found in `checkOptions`. */
const shape = z.strictObject({
  issuer: filledString,
  audience: filledString.optional(),
  database: z.union([filledString, z.custom<Pool>((value) => typeof (value as Pool | null)?.connect === 'function')], {
    error: "is a file, ':memory:', a postgres: URL or a pool of pg",
  }),
  scopes: z
    .record(z.string(), z.string({ error: 'is the description of a scope' }), {
      error: 'is an object of scopes and their descriptions',
    })
    .optional(),
  roles: z.record(z.string(), scopeNames, { error: 'is an object of roles and their scopes' }).optional(),
  defaultScopes: scopeNames.optional(),
  accessTokenSeconds: seconds(10, maxAccessTokenSeconds).optional(),
  sessionSeconds: seconds(60, maxSessionSeconds).optional(),
  idleSeconds: seconds(60, maxSessionSeconds).optional(),
  graceSeconds: seconds(0, 60).optional(),
  auditSeconds: seconds(daySeconds, 3_650 * daySeconds).optional(),
  registration: z.enum(['open', 'closed'], { error: 'is open or closed' }).optional(),
  profile: z
    .custom<ProfileSchema>((value) => typeof (value as ProfileSchema | null)?.['~standard']?.validate === 'function', {
      error: 'is a Standard Schema',
    })
    .optional(),
  users: z
    .custom<UserDirectory<unknown>>((value) => typeof value === 'object' && value !== null, {
      error: 'is an object of functions',
    })
    .superRefine(findMissingFunctions)
    .optional(),
  key: z.string({ error: 'is a string' }).optional(),
  signingAlgorithm: z.enum(issuingAlgorithms, { error: `is one of ${issuingAlgorithms.join(', ')}` }).optional(),
  signingKey: z
    .custom<Jwk>((value) => typeof value === 'object' && value !== null, { error: 'is a private JWK' })
    .optional(),
  cookieSession: z.boolean({ error: 'is true or false' }).optional(),
  corsOrigins: z
    .array(z.string({ error: 'is an origin such as https://app.example' }), { error: 'is a list of origins' })
    .optional(),
  rateLimits: z.enum(['on', 'off'], { error: 'is on or off' }).optional(),
  trustedProxies: z
    .array(z.string({ error: 'is an address or a range such as 10.0.0.0/8' }), {
      error: 'is a list of addresses and ranges',
    })
    .optional(),
  dangerouslyAllowHttpIssuer: z.boolean({ error: 'is true or false' }).optional(),
  logger: z
    .custom<Logger>(isLogger, {
      error: 'has the methods debug, info, warn and error',
    })
    .optional(),
  clock: z
    .custom<Clock>((value) => typeof (value as Clock | null)?.now === 'function', { error: 'has a method now' })
    .optional(),
})

/** Options that are complete and safe. */
export interface CheckedOptions extends Lifetimes {
  readonly issuer: string
  readonly audience: string
  readonly database: string | Pool
  readonly scopes: ScopeRules
  /** How long the audit record keeps a line. */
  readonly auditSeconds: number
  readonly registration: 'open' | 'closed'
  readonly profile: ProfileSchema | undefined
  /** Without it the accounts are our own. */
  readonly users: UserDirectory<unknown> | undefined
  readonly key: string | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly signingKey: SigningKey | undefined
  readonly cookieSession: boolean
  readonly corsOrigins: readonly string[]
  readonly rateLimits: 'on' | 'off'
  /** `undefined`: not said, so the address of a peer may be that of a proxy. */
  readonly trustedProxies: readonly string[] | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/** What is wrong with an option, as a sentence without its name. */
export interface OptionFault {
  readonly option: string
  readonly message: string
}

/** Names of options, as `createKeystile` takes them. */
export const optionNames: readonly string[] = Object.keys(shape.shape)

/**
 * Checks options together and completes them.
 *
 * @throws {ConfigurationError} with all faults, a line each, saying what is expected
 */
export function checkOptions(input: Readonly<Record<string, unknown>>): CheckedOptions {
  const { faults, options } = readOptions(input)
  if (options) return options
  throw new ConfigurationError(cannotStart(faults.map(({ option, message }) => `${option} ${message}`)))
}

export function cannotStart(faults: readonly string[]): string {
  return ['Keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n')
}

/** The options, complete; or everything that is wrong with them. */
export function readOptions(input: Readonly<Record<string, unknown>>): {
  readonly faults: readonly OptionFault[]
  readonly options?: CheckedOptions
} {
  const unknown = Object.keys(input).filter((name) => !optionNames.includes(name))
  const values: Record<string, unknown> = {}
  const faults: OptionFault[] = unknown.map((option) => ({
    option,
    message: `is no option; there are ${optionNames.join(', ')}`,
  }))
  // Each on its own, so that one fault hides no other.
  for (const [option, schema] of Object.entries<z.ZodType>(shape.shape)) {
    const result = schema.safeParse(input[option])
    if (result.success) values[option] = result.data
    else
      faults.push(...result.error.issues.map(({ path, message }) => ({ option: [option, ...path].join('.'), message })))
  }
  const given = values as Partial<z.output<typeof shape>>
  faults.push(...findFaultsTogether(given, new Set(faults.map(({ option }) => option.split('.')[0]!))))
  if (faults.length > 0) return { faults }
  const { scopes, roles, defaultScopes, issuer, audience, database, ...rest } = given as z.output<typeof shape>
  const declared = { ...scopes, ...builtInScopes }
  const signingKey = rest.signingKey && signingKeyOf(rest.signingKey)
  const options = {
    issuer,
    audience: audience ?? issuer,
    database,
    scopes: { declared, defaults: defaultScopes ?? [], roles: { ...roles, [adminRole]: Object.keys(declared) } },
    accessTokenSeconds: rest.accessTokenSeconds ?? 600,
    sessionSeconds: rest.sessionSeconds ?? 30 * daySeconds,
    idleSeconds: rest.idleSeconds ?? 14 * daySeconds,
    graceSeconds: rest.graceSeconds ?? 10,
    auditSeconds: rest.auditSeconds ?? 90 * daySeconds,
    registration: rest.registration ?? 'open',
    profile: rest.profile,
    users: rest.users,
    key: rest.key,
    signingAlgorithm: rest.signingAlgorithm ?? 'ES256',
    signingKey,
    cookieSession: rest.cookieSession ?? false,
    corsOrigins: rest.corsOrigins ?? [],
    rateLimits: rest.rateLimits ?? 'on',
    trustedProxies: rest.trustedProxies,
    logger: rest.logger ?? silentLogger,
    clock: rest.clock ?? systemClock,
  }
  return { faults, options }
}

/** Faults of options that each have the right shape. What is wrong already is not asked again. */
function findFaultsTogether(
  {
    issuer,
    audience,
    database,
    scopes = {},
    roles,
    defaultScopes = [],
    registration,
    profile,
    users,
    key,
    signingKey,
    cookieSession,
    corsOrigins = [],
    trustedProxies = [],
    dangerouslyAllowHttpIssuer,
  }: Partial<z.output<typeof shape>>,
  wrong: ReadonlySet<string>,
): readonly OptionFault[] {
  const faults: OptionFault[] = []
  const add = (option: string, messages: readonly string[]): void => {
    faults.push(...messages.map((message) => ({ option, message })))
  }
  if (issuer !== undefined) {
    add('issuer', findIssuerFaults(issuer, dangerouslyAllowHttpIssuer === true))
    const isUnsaid = registration === undefined && users === undefined && !wrong.has('registration')
    if (isUnsaid && URL.canParse(issuer) && !isOnThisMachine(issuer)) {
      add('registration', [
        'must be said where the issuer is not on this machine: open lets every stranger make an account, closed leaves it to you',
      ])
    }
  }
  if (audience !== undefined && /\s/.test(audience)) add('audience', ['has no white space'])
  if (database !== undefined) {
    add('database', findDatabaseFaults(database))
    const needsKey = typeof database !== 'string' || isPostgresUrl(database)
    if (needsKey && key === undefined && signingKey === undefined && !wrong.has('key')) {
      add('key', [
        'must be given on PostgreSQL (KEYSTILE_KEY or KEYSTILE_KEY_FILE): signing keys are sealed under it, and it must not lie beside them. Make one with: openssl rand -base64 32',
      ])
    }
  }
  if (key !== undefined)
    add(
      'key',
      [findSealingSecretFault(key)].filter((fault) => fault !== undefined),
    )
  if (signingKey) add('signingKey', findSigningKeyFaults(signingKey))
  if (cookieSession && issuer !== undefined) {
    if (issuer.includes(';'))
      add('cookieSession', ['needs an issuer without ";": the path of a cookie would end there (RFC 6265 §4.1.1)'])
    if (issuer.startsWith('http:') && !isOnThisMachine(issuer))
      add('cookieSession', ['needs an https issuer: from any other, no browser keeps the cookie'])
  }
  for (const origin of corsOrigins) add('corsOrigins', findOriginFaults(origin, dangerouslyAllowHttpIssuer === true))
  for (const proxy of trustedProxies) {
    const fault = findProxyFault(proxy)
    if (fault !== undefined) add('trustedProxies', [`has "${proxy}", which ${fault}`])
  }
  if (users !== undefined) {
    for (const [option, value] of Object.entries({ registration, roles, profile }))
      if (value !== undefined) add(option, ['is for our own accounts: with users, it is a matter of your directory'])
  }
  for (const name of Object.keys(scopes)) {
    if (isScopeName(name)) continue
    add('scopes', [
      `has "${name}", which is no scope name: it has visible ASCII characters, but no space, quote or backslash (RFC 6749 §3.3)`,
    ])
  }
  if (wrong.has('scopes')) return faults
  const declared = { ...scopes, ...builtInScopes }
  const findUndeclared = (names: readonly string[]): readonly string[] =>
    names
      .filter((name) => !Object.hasOwn(declared, name))
      .map((name) => `has "${name}", which is not declared in scopes`)
  add('defaultScopes', findUndeclared(defaultScopes))
  for (const [role, names] of Object.entries(roles ?? {})) add(`roles.${role}`, findUndeclared(names))
  if (roles && Object.hasOwn(roles, adminRole)) add(`roles.${adminRole}`, ['is built in and holds all scopes'])
  return faults
}

/** A scheme that is no database of ours would otherwise become a file of that name. */
function findDatabaseFaults(database: string | Pool): readonly string[] {
  const isForeign = typeof database === 'string' && /^\w[\w+.-]+:/.test(database) && !isPostgresUrl(database)
  return isForeign ? ["is a file, ':memory:' or a postgres: URL"] : []
}

function findSigningKeyFaults(jwk: Jwk): readonly string[] {
  try {
    signingKeyOf(jwk)
    return []
  } catch (error) {
    return [`is unfit: ${(error as Error).message}`]
  }
}
