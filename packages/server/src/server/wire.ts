import { createVerifier, type Caller, type Identity, type Verifier } from 'keystile'
import {
  createGuardCore,
  ProblemError,
  randomId,
  readWebRequest,
  TokenError,
  toResponse,
  type Clock,
  type HttpAnswer,
  type HttpRequestWithBody,
  type JsonObject,
  type Logger,
} from 'keystile/internal'
import { openEventFeed, type EventFeed } from '../features/events/events.ts'
import { describeRoutes } from '../features/docs/openapi.ts'
import { metadataRoutes } from '../features/oauth/metadata.ts'
import { tokenRoute } from '../features/oauth/token.ts'
import { openHashThreads } from '../features/password/hash-threads.ts'
import { createPasswords, type Passwords } from '../features/password/password.ts'
import { createSessionStarter, type SessionStarter } from '../features/sessions/sessions.ts'
import { grantScopes, heldScopes, type BuiltInScope, type ScopeRules } from '../features/scopes/scopes.ts'
import { firstParty } from '../features/clients/clients.ts'
import { readOrCreateSealingSecret } from '../features/signing-keys/sealing-secret.ts'
import { openSigningKeys, type SigningKeySource } from '../features/signing-keys/signing-keys.ts'
import { managementRoutes } from '../features/users/management-routes.ts'
import { accountRoutes } from '../features/users/routes.ts'
import { createUsers, type PublicUser, type User, type Users } from '../features/users/users.ts'
import { DatabaseUnavailableError, type Database } from '../storage/database.ts'
import { openDatabase } from '../storage/open.ts'
import { checkOptions, type CheckedOptions, type KeystileOptions } from './options.ts'
import { createRouter } from './router.ts'
import { readVersion } from './version.ts'

/** What a login gives. */
export interface Tokens {
  readonly accessToken: string
  readonly tokenType: 'bearer'
  /** Life of the access token, in seconds. */
  readonly expiresIn: number
  readonly scopes: readonly string[]
}

export interface Sessions {
  /**
   * Starts a session for somebody whom the application has recognised in its own way, by another identity provider say.
   * Does NOT prove anything about them.
   *
   * @param login the user's `id`, and the scopes that are asked for; without any, all that the user holds
   * @throws {TypeError} for a scope that is not declared
   * @throws {ProblemError} `not_found` for a user who does not exist or may not come in
   */
  create(login: { readonly subject: string; readonly scopes?: readonly string[] }): Promise<Tokens>
}

/** Keystile, running. `S`: the declared scopes; `U`: the user that a guarded route sees. */
export interface Keystile<S extends string = string, U = PublicUser> {
  readonly issuer: string
  /** Verifies its own tokens, and knows at once what this process revoked and within a second what others did. */
  readonly verifier: Verifier
  readonly scopes: Readonly<Record<S, string>>
  readonly sessions: Sessions
  /** The user behind an identity, at most 5 s old on PostgreSQL and read anew on SQLite; `undefined` when deleted or disabled. */
  user(identity: Identity): Promise<U | undefined>
  /** The answer to a request for one of our endpoints, `undefined` for any other: what `mount` asks. */
  answer(request: HttpRequestWithBody): Promise<HttpAnswer | undefined>
  /** The same for a web `Request`; a path that is not ours is answered with 404. */
  fetch(request: Request): Promise<Response>
  /** Ends timers, threads and connections. A pool that was passed in stays open. */
  close(): Promise<void>
}

/** A running Keystile, its accounts, and what its stand-alone server tells a load balancer. */
export interface Running {
  readonly keystile: Keystile<string, User['publicUser']>
  readonly users: Users
  /** The OpenAPI document of its endpoints. */
  readonly document: JsonObject
  /** Whether the database answers. */
  isReady(): Promise<boolean>
}

/**
 * Opens the database, brings it up to date, and starts Keystile on it. Faults of the options are found before anything
 * is touched, and reported together.
 *
 * @throws {TypeError} `ConfigurationError`, when an option is wrong or unsafe, or the database belongs to another issuer or key
 * @throws {Error} when the database cannot be opened
 */
export async function createKeystile<const S extends string = never, P extends object = object>(
  options: KeystileOptions<S, P>,
): Promise<Keystile<S | BuiltInScope, PublicUser & P>> {
  const { keystile } = await wire(checkOptions({ ...options }))
  // The profile schema has checked what is stored, and the scopes are those of the options.
  return keystile as Keystile as Keystile<S | BuiltInScope, PublicUser & P>
}

/** The accounts of a database, without anything that issues or answers. */
export interface Accounts {
  readonly database: Database
  readonly feed: EventFeed
  readonly users: Users
  readonly passwords: Passwords
  close(): Promise<void>
}

/** @throws {Error} when the database cannot be opened */
export async function openAccounts(
  source: CheckedOptions['database'],
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): Promise<Accounts> {
  const database = await openDatabase(source, new URL(import.meta.resolve('#writer-thread')))
  try {
    const feed = await openEventFeed(database, { clock, logger })
    const hashThreads = openHashThreads()
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
      passwords: createPasswords(hashThreads),
      close: () => (closing ??= close()),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Makes everything, from the bottom to the top. */
export async function wire(options: CheckedOptions): Promise<Running> {
  const { issuer, audience, accessTokenSeconds, scopes, registration, profile, logger, clock } = options
  const { database, feed, users, passwords, close } = await openAccounts(options.database, { logger, clock })
  try {
    const signingKeys = await openSigningKeys(database, { issuer, source: signingKeySource(options), clock })
    const sessions = createSessionStarter(
      database,
      { issuer, audience, accessTokenSeconds, signingKey: () => signingKeys.current },
      clock,
    )
    const verifier = createVerifier({
      issuer,
      audience,
      keys: signingKeys.keySet,
      revocations: feed.revocations,
      clock,
    })
    const findActive = async (identity: Identity): Promise<User | undefined> => {
      const found = await users.findBySubject(identity.subject).catch(asRefusal)
      return found?.active ? found : undefined
    }
    const routes = [
      tokenRoute({ users, passwords, sessions, scopes, accessTokenSeconds }),
      ...accountRoutes({ issuer, users, passwords, registration, profile }),
      ...managementRoutes({ users, scopes, profile }),
      ...metadataRoutes({ issuer, scopes: Object.keys(scopes.declared), published: () => signingKeys.published }),
    ]
    const guard = createGuardCore({ verifier, scopes: scopes.declared, user: findActive })
    const answer = createRouter<User>(routes, { issuer, guard, logger })
    const keystile: Keystile<string, User['publicUser']> = {
      issuer,
      verifier,
      scopes: scopes.declared,
      user: async (identity) => (await findActive(identity))?.publicUser,
      sessions: { create: (login) => createSession(login, { users, sessions, scopes, accessTokenSeconds }) },
      answer,
      fetch: async (request) => toResponse((await answer(readWebRequest(request))) ?? { status: 404, headers: {} }),
      close,
    }
    return {
      keystile,
      users,
      document: describeRoutes<Caller<string, User>>(routes, {
        issuer,
        scopes: scopes.declared,
        version: readVersion(),
      }),
      isReady: () =>
        feed.tail().then(
          () => true,
          () => false,
        ),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A login that the application has proved in its own way. */
async function createSession(
  { subject, scopes: requested }: Parameters<Sessions['create']>[0],
  parts: {
    readonly users: Users
    readonly sessions: SessionStarter
    readonly scopes: ScopeRules
    readonly accessTokenSeconds: number
  },
): Promise<Tokens> {
  const undeclared = requested?.find((scope) => !Object.hasOwn(parts.scopes.declared, scope))
  if (undeclared !== undefined) throw new TypeError(`the scope "${undeclared}" is not declared`)
  const user = await parts.users.findBySubject(subject)
  const scopes = user ? grantScopes(requested, heldScopes(user, parts.scopes)) : []
  const started = user?.active ? await parts.sessions.start({ subject, clientId: firstParty.id, scopes }) : undefined
  if (!started) throw new ProblemError('not_found', 'There is no such user, or one who may not come in')
  return { accessToken: started.accessToken, tokenType: 'bearer', expiresIn: parts.accessTokenSeconds, scopes }
}

function signingKeySource({ signingKey, signingAlgorithm, key, database }: CheckedOptions): SigningKeySource {
  if (signingKey) return { signingKey }
  if (key !== undefined) return { algorithm: signingAlgorithm, sealingSecret: key }
  // A memory database keeps nothing, so its keys need no secret that outlives it.
  const sealingSecret =
    database === ':memory:' ? randomId() + randomId() : readOrCreateSealingSecret(database as string)
  return { algorithm: signingAlgorithm, sealingSecret }
}

/** A database that is away is no reason to call a token invalid: clients would throw it away. */
function asRefusal(error: unknown): never {
  if (!(error instanceof DatabaseUnavailableError)) throw error
  throw new TokenError('temporarily_unavailable', 'The service is not available at the moment', {
    cause: error,
    retryAfterSeconds: 1,
  })
}
