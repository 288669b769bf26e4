import type { UserObject } from 'keystile'
import * as z from 'zod'
import { isScopeName, silentLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import type { Jwk, SigningKey } from 'keystile/jwt'
import { defaultCost, findCostFault, type HashingCost } from '../features/password/hashing-cost.ts'
import { defaultMinLength, leastMinLength, maxMinLength } from '../features/password-policy/policy.ts'
import { adminRole, builtInScopes, type ScopeRules } from '../features/scopes/scopes.ts'
import { maxAccessTokenSeconds, type Lifetimes } from '../features/sessions/lifetimes.ts'
import { issuingAlgorithms, signingKeyOf, type IssuingAlgorithm } from '../features/signing-keys/signing-keys.ts'
import { directoryFunctions, type UserDirectory } from '../features/directory/directory.ts'
import { findReservedFields, type ProfileSchema } from '../features/accounts/profile.ts'
import { isPostgresUrl } from '../storage/source.ts'
import type { Pool } from '../storage/postgres.ts'
import { ConfigurationError } from '../base/configuration-error.ts'
import { findProxyFault } from '../http/proxies.ts'
import { defaultLifetimes } from './rules/option-rules.ts'
import type { Situation } from './rules/rule.ts'
import { examine, textOf } from './rules/rules.ts'

function isLogger(value: unknown): boolean {
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof (value as Logger | null)?.[name] === 'function',
  )
}

function findMissingFunctions(
  directory: UserDirectory<UserObject>,
  { addIssue }: z.core.$RefinementCtx<UserDirectory<UserObject>>,
): void {
  const { required, optional } = directoryFunctions
  for (const name of [...required, ...optional.filter((name) => directory[name] !== undefined)]) {
    if (typeof directory[name] !== 'function') addIssue({ code: 'custom', path: [name], message: 'is a function' })
  }
}

function addCostFault(cost: HashingCost, { addIssue }: z.core.$RefinementCtx<HashingCost>): void {
  const message = findCostFault(cost)
  if (message) addIssue({ code: 'custom', message })
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
  passwordHashing: z
    .strictObject({ memoryKiB: z.number(), passes: z.number() }, { error: 'is { memoryKiB, passes }' })
    .superRefine(addCostFault)
    .optional(),
  auditSeconds: seconds(daySeconds, 3_650 * daySeconds).optional(),
  registration: z.enum(['open', 'closed'], { error: 'is open or closed' }).optional(),
  passwordMinLength: z
    .int({ error: `is a whole number from ${leastMinLength} to ${maxMinLength}` })
    .min(leastMinLength, { error: `is at least ${leastMinLength} (NIST SP 800-63B-4 §3.1.1.2)` })
    .max(maxMinLength, { error: `is at most ${maxMinLength}` })
    .optional(),
  profile: z
    .custom<ProfileSchema>((value) => typeof (value as ProfileSchema | null)?.['~standard']?.validate === 'function', {
      error: 'is a Standard Schema',
    })
    .optional(),
  users: z
    .custom<UserDirectory<UserObject>>((value) => typeof value === 'object' && value !== null, {
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
  readonly passwordHashing: HashingCost
  /** How long the audit record keeps a line. */
  readonly auditSeconds: number
  readonly registration: 'open' | 'closed'
  readonly passwordMinLength: number
  readonly profile: ProfileSchema | undefined
  /** Without it the accounts are our own. */
  readonly users: UserDirectory<UserObject> | undefined
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
  /** What rules of safety look at, as it was given. */
  readonly situation: Situation
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

/** What the stand-alone server knows beside its options. */
export type Surroundings = Pick<Situation, 'bind' | 'secretFiles'>

/** The options, complete; or everything that is wrong or unsafe about them. */
export function readOptions(
  input: Readonly<Record<string, unknown>>,
  surroundings: Surroundings = {},
): { readonly faults: readonly OptionFault[]; readonly options?: CheckedOptions } {
  const { faults: shapeFaults, situation } = readShape(input, surroundings)
  const stops = examine(situation).stops.map((finding) => ({ option: finding.about, message: textOf(finding) }))
  const faults = [...shapeFaults, ...stops]
  return faults.length > 0 ? { faults } : { faults, options: complete(situation) }
}

/** The options that have the right shape, and what is wrong with those that have not. */
export function readSituation(
  input: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): { readonly faults: readonly OptionFault[]; readonly situation: Situation } {
  return readShape(input, surroundings)
}

function readShape(
  input: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): { readonly faults: readonly OptionFault[]; readonly situation: GivenSituation } {
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
  const unread = new Set(faults.map(({ option }) => option.split('.')[0]!))
  faults.push(...findFaultsTogether(given, unread))
  return { faults, situation: { ...surroundings, options: given, unread } }
}

interface GivenSituation extends Situation {
  readonly options: Partial<z.output<typeof shape>>
}

function complete(situation: GivenSituation): CheckedOptions {
  const { scopes, roles, defaultScopes, issuer, audience, database, ...rest } = situation.options as z.output<
    typeof shape
  >
  const declared = { ...scopes, ...builtInScopes }
  return {
    issuer,
    audience: audience ?? issuer,
    database,
    scopes: { declared, defaults: defaultScopes ?? [], roles: { ...roles, [adminRole]: Object.keys(declared) } },
    accessTokenSeconds: rest.accessTokenSeconds ?? defaultLifetimes.accessTokenSeconds,
    sessionSeconds: rest.sessionSeconds ?? defaultLifetimes.sessionSeconds,
    idleSeconds: rest.idleSeconds ?? defaultLifetimes.idleSeconds,
    graceSeconds: rest.graceSeconds ?? defaultLifetimes.graceSeconds,
    passwordHashing: rest.passwordHashing ?? defaultCost,
    auditSeconds: rest.auditSeconds ?? 90 * daySeconds,
    registration: rest.registration ?? 'open',
    passwordMinLength: rest.passwordMinLength ?? defaultMinLength,
    profile: rest.profile,
    users: rest.users,
    key: rest.key,
    signingAlgorithm: rest.signingAlgorithm ?? 'ES256',
    signingKey: rest.signingKey && signingKeyOf(rest.signingKey),
    cookieSession: rest.cookieSession ?? false,
    corsOrigins: rest.corsOrigins ?? [],
    rateLimits: rest.rateLimits ?? 'on',
    trustedProxies: rest.trustedProxies,
    logger: rest.logger ?? silentLogger,
    clock: rest.clock ?? systemClock,
    situation,
  }
}

/** Faults of options that each have the right shape. What is wrong already is not asked again; what is unsafe, the rules know. */
function findFaultsTogether(
  {
    issuer,
    audience,
    database,
    scopes = {},
    roles,
    defaultScopes = [],
    registration,
    passwordMinLength,
    profile,
    users,
    cookieSession,
    corsOrigins = [],
    trustedProxies = [],
  }: Partial<z.output<typeof shape>>,
  wrong: ReadonlySet<string>,
): readonly OptionFault[] {
  const faults: OptionFault[] = []
  const add = (option: string, messages: readonly string[]): void => {
    faults.push(...messages.map((message) => ({ option, message })))
  }
  if (issuer !== undefined) add('issuer', findIssuerFaults(issuer))
  if (audience !== undefined && /\s/.test(audience)) add('audience', ['has no white space'])
  if (database !== undefined) add('database', findDatabaseFaults(database))
  if (cookieSession && issuer?.includes(';'))
    add('cookieSession', ['needs an issuer without ";": the path of a cookie would end there (RFC 6265 §4.1.1)'])
  for (const origin of corsOrigins) add('corsOrigins', findOriginFaults(origin))
  for (const proxy of trustedProxies) {
    const fault = findProxyFault(proxy)
    if (fault !== undefined) add('trustedProxies', [`has "${proxy}", which ${fault}`])
  }
  if (users !== undefined) {
    for (const [option, value] of Object.entries({ registration, passwordMinLength, roles, profile }))
      if (value !== undefined) add(option, ['is for our own accounts: with users, it is a matter of your directory'])
  }
  const reserved = profile === undefined ? [] : findReservedFields(profile)
  if (reserved.length > 0)
    add('profile', [`must not have ${reserved.join(', ')}: Keystile has its own; choose other names`])
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

/** RFC 8414 §2: a URL without query and fragment. Written in its one form, for it is compared as text. */
function findIssuerFaults(issuer: string): readonly string[] {
  if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer))
    return ['is a URL such as https://auth.example or http://localhost:3000/auth']
  const url = new URL(issuer)
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    return ['has no user, query or fragment (RFC 8414 §2)']
  const written = url.href.replace(/\/$/, '')
  return written === issuer ? [] : [`is written ${written}: tokens are compared with it letter by letter`]
}

/** An `Origin` is compared as text, so it is written as browsers send it. */
function findOriginFaults(origin: string): readonly string[] {
  if (origin.includes('*') || origin === 'null') return [] // a rule knows
  if (!/^https?:\/\/./.test(origin) || !URL.canParse(origin))
    return [`has "${origin}"; an origin is such as https://app.example or http://localhost:5173, without * and null`]
  const url = new URL(origin)
  return url.origin === origin ? [] : [`has "${origin}", of which the origin is ${url.origin}: as browsers send it`]
}
