import { createVerifier, type Caller, type Identity, type UserObject, type Verifier } from 'keystile'
import type { SigningKey } from 'keystile/jwt'
import {
  createGuardCore,
  randomId,
  readWebRequest,
  tokenError,
  toResponse,
  type Clock,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
} from 'keystile/internal'
import { createClients, firstParty, type Clients } from '../features/clients/clients.ts'
import { createAudit, hasStorableNames, type Audit } from '../features/audit/audit.ts'
import { openEventFeed, type EventFeed } from '../features/events/events.ts'
import { describeRoutes } from '../features/docs/openapi.ts'
import { startHousekeeping } from '../features/housekeeping/housekeeping.ts'
import { noLimits, openLimits, type Limits } from '../features/limits/limits.ts'
import { createPasswordMethod } from '../features/login/password.ts'
import { introspectRoute } from '../features/oauth/introspect.ts'
import { cookiePathOf, cookieSessionRoutes } from '../features/browser-session/cookie-session.ts'
import { grants } from '../features/oauth/grants.ts'
import { metadataRoutes } from '../features/oauth/metadata.ts'
import { revokeRoute } from '../features/oauth/revoke.ts'
import { tokenRoute } from '../features/oauth/token.ts'
import { guardReasonOf, nobody, type Observer } from '../features/metrics/observer.ts'
import { openHashThreads } from '../features/password/hash-threads.ts'
import type { HashingCost } from '../features/password/hashing-cost.ts'
import { createPasswords, type Passwords } from '../features/password/password.ts'
import { createPasswordPolicy } from '../features/password-policy/policy.ts'
import { watchHashThreads, type WatchedHashThreads } from '../features/password/watched-hash-threads.ts'
import type { BuiltInScope } from '../features/scopes/scopes.ts'
import { createClientTokenIssuer } from '../features/sessions/issuing.ts'
import { createSessionRefresher } from '../features/sessions/refresh.ts'
import { sessionRoutes } from '../features/sessions/routes.ts'
import { createSessionEnds } from '../features/sessions/session-ends.ts'
import { createSessionStarter } from '../features/sessions/sessions.ts'
import { startLogin } from '../features/login/store.ts'
import { readOrCreateSealingSecret } from '../features/signing-keys/sealing-secret.ts'
import { openSigningKeys, type SigningKeySource } from '../features/signing-keys/signing-keys.ts'
import { accountDirectory } from '../features/accounts/account-directory.ts'
import { checkedDirectory, type Directory } from '../features/directory/directory.ts'
import { managementRoutes } from '../features/accounts/management-routes.ts'
import { accountRoutes } from '../features/accounts/routes.ts'
import { createUsers, type PublicUser, type Users } from '../features/accounts/users.ts'
import type { Route } from '../http/route.ts'
import type { Service } from '../listener/service.ts'
import { DatabaseUnavailableError, type Database } from '../storage/database.ts'
import { openDatabase } from '../storage/open.ts'
import { inMemory } from '../storage/source.ts'
import { cleanUpSteps } from './features.ts'
import { createAppSessions, type Sessions } from './app-sessions.ts'
import { allowOrigins } from '../http/cors.ts'
import type { KeystileOptions } from '../configuration/keystile-options.ts'
import { heedRules } from '../configuration/machine.ts'
import type { CheckedOptions } from '../configuration/options.ts'
import { createProxies, withResolvedAddress, type Proxies } from '../http/proxies.ts'
import { createRouteNames, createRouter } from '../http/router.ts'
import { checkOptions } from './options.ts'
import { rules as safetyRules } from './rules.ts'
import { readVersion } from './version.ts'

/** Keystile, running. `S`: the declared scopes; `U`: the user that a guarded route sees. */
export interface Keystile<S extends string = string, U = PublicUser> {
  readonly issuer: string
  /** Verifies its own tokens, and knows at once what this process revoked and within a second what others did. */
  readonly verifier: Verifier
  readonly scopes: Readonly<Record<S, string>>
  readonly sessions: Sessions
  /**
   * The user behind an identity, `undefined` when deleted or disabled. Read anew each time from your own directory and from
   * SQLite, at most 5 s old from PostgreSQL.
   */
  user(identity: Identity): Promise<U | undefined>
  /** The answer to a request for one of our endpoints, `undefined` for any other: what `mount` asks. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer | undefined>
  /**
   * The same for a web `Request`; a path that is not ours is answered with 404.
   *
   * @param from the IP address of who sent it, for the audit record: a `Request` does not say
   */
  fetch(request: Request, from?: { readonly remoteAddress?: string | undefined }): Promise<Response>
  /** Ends timers, threads and connections. A pool that was passed in stays open. */
  close(): Promise<void>
}

/** A running Keystile, its accounts, and what its stand-alone server tells a load balancer. */
export interface Running extends Service {
  readonly keystile: Keystile<string, UserObject>
  /** Keystile's own accounts. None where the app has a directory of its own. */
  readonly users: Users
  readonly clients: Clients
}

/**
 * Opens the database, brings it up to date, and starts Keystile on it. Faults of the options are found before anything
 * is touched, and reported together. With `users`, people log in who are kept elsewhere, and of the endpoints below `/users`
 * there are those of their sessions alone.
 *
 * @throws {TypeError} `ConfigurationError`, when an option is wrong or unsafe, or the database belongs to another issuer or key
 * @throws {Error} when the database cannot be opened
 */
export async function createKeystile<
  const S extends string = never,
  P extends object = object,
  U extends UserObject = PublicUser & P,
>(options: KeystileOptions<S, P, U>): Promise<Keystile<S | BuiltInScope, U>> {
  const { keystile } = await wire(checkOptions({ ...options }))
  // The profile schema has checked what is stored, or the directory is typed; and the scopes are those of the options.
  return keystile as Keystile<S | BuiltInScope, U>
}

/** The accounts and clients of a database, without anything that issues or answers. */
export interface Accounts {
  readonly database: Database
  readonly feed: EventFeed
  readonly users: Users
  readonly hashThreads: WatchedHashThreads
  readonly passwords: Passwords
  readonly clients: Clients
  readonly audit: Audit
  close(): Promise<void>
}

/** @throws {Error} when the database cannot be opened */
async function openAccounts(
  source: CheckedOptions['database'],
  options: { readonly logger: Logger; readonly clock: Clock; readonly passwordHashing?: HashingCost },
  observer: Observer = nobody,
): Promise<Accounts> {
  const { logger, clock, passwordHashing } = options
  const database = await openDatabase(source, new URL(import.meta.resolve('#writer-thread')))
  try {
    const feed = await openEventFeed(database, { clock, logger })
    const hashThreads = watchHashThreads(openHashThreads(), observer)
    const close = async (): Promise<void> => {
      await hashThreads.close()
      await feed.close()
      await database.close()
    }
    let closing: Promise<void> | undefined
    return {
      database,
      feed,
      users: createUsers(database, feed, clock),
      hashThreads,
      passwords: createPasswords(hashThreads, passwordHashing),
      clients: createClients(database, feed, clock),
      audit: createAudit(database, clock),
      close: () => (closing ??= close()),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Who logs in, and what they find here beside tokens. */
interface People<U> {
  readonly directory: Directory<U>
  /** Whoever has this subject, if they may come in, on each guarded request; may be some seconds old. */
  findActive(subject: string): Promise<U | undefined>
  readonly routes: readonly Route<Caller<string, U>>[]
  /** A user as the application sees them. */
  show(user: U): UserObject
}

/** Makes everything, from the bottom to the top. */
export async function wire(options: CheckedOptions, observer: Observer = nobody): Promise<Running> {
  const { issuer, scopes: rules, registration, profile, logger } = options
  const accounts = await openAccounts(options.database, options, observer)
  const { users, passwords, audit } = accounts
  const passwordPolicy = createPasswordPolicy({ issuer, minLength: options.passwordMinLength })
  try {
    await heedRules(safetyRules, options, accounts.database)
    const proxies = createProxies(options.trustedProxies ?? [])
    const limits = await limitsOf(options, accounts.database, proxies)
    const parts = { accounts, limits, proxies, observer }
    if (options.users) {
      const directory = checkedDirectory(options.users, { rules, logger })
      return await serve(options, parts, {
        directory,
        findActive: directory.findActive,
        routes: [],
        show: (user) => user,
      })
    }
    return await serve(options, parts, {
      directory: checkedDirectory(accountDirectory(users, rules), { rules, logger }),
      async findActive(subject) {
        const user = await users.findBySubject(subject)
        return user?.active ? user : undefined
      },
      routes: [
        ...accountRoutes({ issuer, users, passwords, passwordPolicy, audit, limits, registration, profile }),
        ...managementRoutes({ users, scopes: rules, profile }),
      ],
      show: ({ publicUser }) => publicUser,
    })
  } catch (error) {
    await accounts.close()
    throw error
  }
}

/** Addresses count where it is said who stands before us: else one of them may be a proxy, which stands for everybody. */
async function limitsOf(
  { rateLimits, trustedProxies, clock, logger }: CheckedOptions,
  database: Database,
  proxies: Proxies,
): Promise<Limits> {
  if (rateLimits === 'off') return noLimits
  const isLimited = (address: string): boolean => trustedProxies !== undefined && !proxies.isTrusted(address)
  return openLimits(database, { clock, logger, isLimited })
}

interface ServingParts {
  readonly accounts: Accounts
  readonly limits: Limits
  readonly proxies: Proxies
  readonly observer: Observer
}

async function serve<U>(
  options: CheckedOptions,
  { accounts, limits, proxies, observer }: ServingParts,
  people: People<U>,
): Promise<Running> {
  const { issuer, audience, scopes, corsOrigins, logger, clock } = options
  const { database, feed, users, hashThreads, passwords, clients, audit, close } = accounts
  const { directory, show } = people
  const signingKeys = await openSigningKeys(database, { issuer, source: signingKeySource(options), clock })
  const signingKey = (): SigningKey => signingKeys.current
  const { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds } = options
  const lifetimes = { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds }
  const issuing = { issuer, audience, ...lifetimes, hasAccounts: options.users === undefined, signingKey }
  const starter = createSessionStarter(database, { startLogin, issuing, clock })
  const refresher = createSessionRefresher(database, { issuing, feed, clock, logger })
  const issueToClient = createClientTokenIssuer(issuing, clock)
  const ends = createSessionEnds(database, feed, clock)
  const verifier = createVerifier({ issuer, audience, keys: signingKeys.keySet, revocations: feed.revocations, clock })
  /** A client that acts for itself is nobody, whatever somebody's subject may be. */
  const findActive = async (identity: Identity): Promise<U | undefined> => {
    if (identity.sessionId === undefined || !hasStorableNames(identity)) return undefined
    try {
      return await people.findActive(identity.subject)
    } catch (error) {
      throw asRefusal(error)
    }
  }
  const isWelcome = async (identity: Identity): Promise<boolean> =>
    identity.sessionId === undefined || (await findActive(identity)) !== undefined
  const login = { byPassword: createPasswordMethod({ directory, passwords, audit, limits, clock, logger }) }
  const granting = { login, directory, sessions: starter, refresher, scopes, audit, limits, observer }
  const routes = [
    tokenRoute({ ...granting, grants, clients, issueToClient }),
    revokeRoute({ clients, audit, limits, refresher, sessions: ends, verifier }),
    introspectRoute({ clients, audit, limits, verifier, isWelcome }),
    ...(options.cookieSession
      ? cookieSessionRoutes({ ...granting, issuer, corsOrigins, ends, lifetimes, logger })
      : []),
    ...people.routes,
    ...sessionRoutes(ends),
    ...metadataRoutes({
      issuer,
      scopes: Object.keys(scopes.declared),
      grantTypes: grants.map(({ grantType }) => grantType),
      published: () => signingKeys.published,
    }),
  ]
  const guard = createGuardCore({ verifier, scopes: scopes.declared, user: findActive })
  const housekeeping = startHousekeeping(database, cleanUpSteps, options)
  const router = createRouter<U>(routes, {
    issuer,
    guard,
    logger,
    isFirstParty: (clientId) => clientId === firstParty.id,
    onGuardRefusal: (error) => observer.onGuardRefusal(guardReasonOf(error)),
  })
  const allowed = allowOrigins(router, { cookiePath: cookiePathOf(issuer), origins: corsOrigins })
  const answer = withResolvedAddress(allowed, proxies)
  const keystile: Keystile<string, UserObject> = {
    issuer,
    verifier,
    scopes: scopes.declared,
    async user(identity) {
      const user = await findActive(identity)
      return user === undefined ? undefined : show(user)
    },
    sessions: createAppSessions({ directory, starter, ends, scopes }),
    answer,
    async close() {
      await housekeeping.close()
      await close()
    },
    async fetch(request, { remoteAddress } = {}) {
      return toResponse((await answer(readWebRequest(request, remoteAddress))) ?? { status: 404, headers: {} })
    },
  }
  return {
    keystile,
    users,
    clients,
    document: describeRoutes(routes, { issuer, scopes: scopes.declared, version: readVersion() }),
    async findUnreadiness() {
      const [databaseAnswers, hashThreadsWork] = await Promise.all([
        feed.tail().then(
          () => true,
          () => false,
        ),
        hashThreads.areWorking(),
      ])
      return [
        ...(databaseAnswers ? [] : ['the database does not answer']),
        ...(hashThreadsWork ? [] : ['no password gets hashed']),
      ]
    },
    vitals: () => ({
      hashQueueLength: hashThreads.length,
      writeQueueLength: database.writeQueueLength,
      feedAgeSeconds: feed.ageSeconds,
    }),
    routeOf: createRouteNames(routes, issuer),
  }
}

function signingKeySource({ signingKey, signingAlgorithm, key, database }: CheckedOptions): SigningKeySource {
  if (signingKey) return { signingKey }
  if (key !== undefined) return { algorithm: signingAlgorithm, sealingSecret: key }
  // A memory database keeps nothing, so its keys need no secret that outlives it.
  const sealingSecret = database === inMemory ? randomId() + randomId() : readOrCreateSealingSecret(database as string)
  return { algorithm: signingAlgorithm, sealingSecret }
}

/** A database that is away is no reason to call a token invalid: clients would throw it away. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseUnavailableError)) return error
  return tokenError('service_unavailable', { cause: error, retryAfterSeconds: 1 })
}
