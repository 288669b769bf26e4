import { isIP } from 'node:net'
import { z } from 'zod'
import { isScopeName, type Clock, type Logger } from 'keystile/internal'
import type { Jwk } from 'keystile/jwt'
import { adminRole, builtInScopes, type BuiltInScope, type ScopeRules } from '../features/scopes/scopes.ts'
import { findSealingSecretFault } from '../features/signing-keys/sealing-secret.ts'
import { issuingAlgorithms, signingKeyOf, type IssuingAlgorithm } from '../features/signing-keys/signing-keys.ts'
import type { ProfileSchema } from '../features/users/users.ts'
import { isPostgresUrl } from '../storage/open.ts'
import type { Pool } from '../storage/postgres.ts'

/** What `createKeystile` is told. */
export interface KeystileOptions<S extends string, P extends object> {
  /** `iss` of all tokens, and where the endpoints are: an https URL without query, or http on this machine alone. */
  readonly issuer: string
  /** Who the tokens are for: their `aud`. Default: the issuer. */
  readonly audience?: string
  /** A file, `:memory:`, a `postgres:` URL, or a pool of pg that stays yours. */
  readonly database: string | Pool
  /** The scopes there are, each with its description. `users:read` and `users:write` are always declared. */
  readonly scopes?: Readonly<Record<S, string>>
  /** Named lists of scopes. `admin` is built in and holds all. */
  readonly roles?: Readonly<Record<string, readonly NoInfer<S | BuiltInScope>[]>>
  /** Scopes that every user holds. Default: none. */
  readonly defaultScopes?: readonly NoInfer<S | BuiltInScope>[]
  /** Life of an access token in seconds, 10 to 86,400. Default: 600. */
  readonly accessTokenSeconds?: number
  /** Whether strangers may register at `POST /users`. Default: open where the issuer is on this machine; else it must be said. */
  readonly registration?: 'open' | 'closed'
  /** A schema for fields of a user beside ours, by the Standard Schema specification. */
  readonly profile?: ProfileSchema<P>
  /**
   * The secret under which private signing keys are sealed: 32 random characters or more. Default: the file
   * `keystile.key` beside a SQLite file, made at the first start; PostgreSQL has no default.
   */
  readonly key?: string
  /** The algorithm that tokens are signed with. Default: ES256. */
  readonly signingAlgorithm?: IssuingAlgorithm
  /** A private JWK that signs instead of keys that Keystile makes itself. */
  readonly signingKey?: Jwk
  /** Allows an http issuer that is not this machine: tokens and passwords then cross the network unprotected. */
  readonly dangerouslyAllowHttpIssuer?: boolean
  readonly logger?: Logger
  readonly clock?: Clock
}

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
  accessTokenSeconds: seconds(10, 86_400).optional(),
  registration: z.enum(['open', 'closed'], { error: 'is open or closed' }).optional(),
  profile: z
    .custom<ProfileSchema>((value) => typeof (value as ProfileSchema | null)?.['~standard']?.validate === 'function', {
      error: 'is a Standard Schema',
    })
    .optional(),
  key: z.string({ error: 'is a string' }).optional(),
  signingAlgorithm: z.enum(issuingAlgorithms, { error: `is one of ${issuingAlgorithms.join(', ')}` }).optional(),
  signingKey: z
    .custom<Jwk>((value) => typeof value === 'object' && value !== null, { error: 'is a private JWK' })
    .optional(),
  dangerouslyAllowHttpIssuer: z.boolean({ error: 'is true or false' }).optional(),
  logger: z
    .custom<Logger>((value) => typeof (value as Logger | null)?.error === 'function', {
      error: 'has the methods debug, info, warn and error',
    })
    .optional(),
  clock: z
    .custom<Clock>((value) => typeof (value as Clock | null)?.now === 'function', { error: 'has a method now' })
    .optional(),
})

/** Options that are complete and safe. */
export interface CheckedOptions {
  readonly issuer: string
  readonly audience: string
  readonly database: string | Pool
  readonly scopes: ScopeRules
  readonly accessTokenSeconds: number
  readonly registration: 'open' | 'closed'
  readonly profile: ProfileSchema | undefined
  readonly key: string | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly signingKey: Jwk | undefined
  readonly logger: Logger | undefined
  readonly clock: Clock | undefined
}

/** Names of options, as `createKeystile` takes them. */
export const optionNames: readonly string[] = Object.keys(shape.shape)

/**
 * Checks options together and completes them.
 *
 * @throws {TypeError} with all faults, a line each, saying what is expected
 */
export function checkOptions(input: unknown): CheckedOptions {
  const faults = findOptionFaults(input)
  if (faults.length > 0)
    throw new TypeError(`Keystile cannot start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
  const options = shape.parse(input)
  const declared = { ...options.scopes, ...builtInScopes }
  const signingKey = options.signingKey && signingKeyOf(options.signingKey)
  return {
    issuer: options.issuer,
    audience: options.audience ?? options.issuer,
    database: options.database,
    scopes: {
      declared,
      defaults: options.defaultScopes ?? [],
      roles: { ...options.roles, [adminRole]: Object.keys(declared) },
    },
    accessTokenSeconds: options.accessTokenSeconds ?? 600,
    registration: options.registration ?? 'open',
    profile: options.profile,
    key: options.key,
    signingAlgorithm: signingKey
      ? (signingKey.algorithm.name as IssuingAlgorithm)
      : (options.signingAlgorithm ?? 'ES256'),
    signingKey: options.signingKey,
    logger: options.logger,
    clock: options.clock,
  }
}

/** Everything that is wrong with options, a sentence each; empty when a start is safe. */
export function findOptionFaults(input: unknown): readonly string[] {
  const parsed = shape.safeParse(input)
  if (!parsed.success) {
    return parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')}: no such option; there are ${optionNames.join(', ')}`
        : `${issue.path.join('.') || 'options'} ${issue.message}`,
    )
  }
  const {
    issuer,
    audience,
    database,
    scopes = {},
    roles = {},
    defaultScopes = [],
    registration,
    key,
    signingKey,
    dangerouslyAllowHttpIssuer,
  } = parsed.data
  const declared = { ...scopes, ...builtInScopes }
  const undeclared = (names: readonly string[]): readonly string[] =>
    names.filter((name) => !Object.hasOwn(declared, name))
  const faults = [
    ...findIssuerFaults(issuer, dangerouslyAllowHttpIssuer === true),
    ...(audience !== undefined && /\s/.test(audience) ? ['audience has no white space'] : []),
    ...Object.keys(scopes)
      .filter((name) => !isScopeName(name))
      .map(
        (name) =>
          `scopes: "${name}" is no scope name: it has visible ASCII characters, but no space, quote or backslash (RFC 6749 §3.3)`,
      ),
    ...undeclared(defaultScopes).map((name) => `defaultScopes: "${name}" is not declared in scopes`),
    ...Object.entries(roles).flatMap(([role, names]) =>
      undeclared(names).map((name) => `roles.${role}: "${name}" is not declared in scopes`),
    ),
    ...(Object.hasOwn(roles, adminRole) ? [`roles.${adminRole} is built in and holds all scopes`] : []),
    ...(key === undefined ? [] : [findSealingSecretFault(key)].filter((fault) => fault !== undefined)),
    ...(signingKey ? findSigningKeyFaults(signingKey) : []),
  ]
  if (registration === undefined && URL.canParse(issuer) && !isOnThisMachine(issuer)) {
    faults.push(
      'registration must be said where the issuer is not on this machine: open lets every stranger make an account, closed leaves it to you',
    )
  }
  if (key === undefined && (typeof database !== 'string' || isPostgresUrl(database))) {
    faults.push(
      'key must be given on PostgreSQL: signing keys are sealed under it, and it must not lie beside them. Make one with: openssl rand -base64 32',
    )
  }
  return faults
}

/** Whether the issuer names this machine, so that no network lies between it and its users. */
export function isOnThisMachine(issuer: string): boolean {
  return URL.canParse(issuer) && isLoopback(new URL(issuer).hostname)
}

export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

/** RFC 8414 §2: an https URL without query and fragment. Written in its one form, for it is compared as text. */
function findIssuerFaults(issuer: string, allowHttp: boolean): readonly string[] {
  if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer))
    return ['issuer is a URL such as https://auth.example or http://localhost:3000/auth']
  const url = new URL(issuer)
  const faults: string[] = []
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    faults.push('issuer has no user, query or fragment (RFC 8414 §2)')
  else if (url.href.replace(/\/$/, '') !== issuer)
    faults.push(`issuer is written ${url.href.replace(/\/$/, '')}: tokens are compared with it letter by letter`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowHttp) {
    faults.push(
      'issuer is https: over http, passwords and tokens cross the network unprotected. Where something else protects them, set dangerouslyAllowHttpIssuer',
    )
  }
  return faults
}

function findSigningKeyFaults(jwk: Jwk): readonly string[] {
  try {
    signingKeyOf(jwk)
    return []
  } catch (error) {
    return [`signingKey: ${(error as Error).message}`]
  }
}
