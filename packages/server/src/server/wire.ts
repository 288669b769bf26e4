import { createVerifier, type Caller, type UserObject, type Verifier } from 'keystile'
import { createGuardCore, withRecall, type JsonObject } from 'keystile/internal'
import type { Seal } from '../base/seal.ts'
import { noMeter, type Meter } from '../feature/metric.ts'
import { enforceRules } from '../configuration/machine.ts'
import { accountDirectory } from '../features/users/accounts/account-directory.ts'
import { createAppUsers, type AppUsers } from '../features/users/accounts/app-users.ts'
import { managementRoutes } from '../features/users/accounts/management-routes.ts'
import { accountRoutes } from '../features/users/accounts/routes.ts'
import type { User, Users } from '../features/users/accounts/users.ts'
import { startEventDelivery } from '../features/operations/app-events/deliver.ts'
import {
  cookiePathOf,
  cookieSessionRoutes,
} from '../features/sign-in/browser-session/cookie-session.ts'
import { firstParty, type Clients } from '../features/tokens/clients/clients.ts'
import { createActiveUsers, type ActiveUsers } from '../features/users/directory/active-users.ts'
import { checkedDirectory } from '../features/users/directory/directory.ts'
import { createUserAnnouncer } from '../features/tokens/events/user-changes.ts'
import { createOwnDocs } from '../features/pages/docs/docs.ts'
import { describeRoutes } from '../features/pages/docs/openapi.ts'
import { startHousekeeping } from '../features/operations/housekeeping/housekeeping.ts'
import { noDevices, openDevices, type Devices } from '../features/sign-in/known-devices/devices.ts'
import { createConfiguredLimits } from '../features/operations/limits/configured-limits.ts'
import type { Limits } from '../features/operations/limits/limits.ts'
import { openLease } from '../features/operations/lease/lease.ts'
import { createLogin } from '../features/sign-in/login/login.ts'
import { openLoginStarter } from '../features/sign-in/login/session-starter.ts'
import { hasMail, startMail, type Mail } from '../features/mail/messages/mail.ts'
import {
  createNotices,
  noNotices,
  openMailSeal,
  type Notices,
} from '../features/mail/messages/notices.ts'
import type { ProofPurpose } from '../features/mail/proofs/purpose.ts'
import { startResolver } from '../features/mail/proofs/resolver.ts'
import { grants } from '../features/tokens/oauth/grants.ts'
import { introspectRoute } from '../features/tokens/oauth/introspect.ts'
import { metadataRoutes } from '../features/tokens/oauth/metadata.ts'
import { revokeRoute } from '../features/tokens/oauth/revoke.ts'
import { tokenRoute } from '../features/tokens/oauth/token.ts'
import { createAppPasswords } from '../features/credentials/password-policy/app-passwords.ts'
import {
  createPasswordPolicy,
  type PasswordPolicy,
} from '../features/credentials/password-policy/policy.ts'
import { revocationsRoute } from '../features/tokens/revocation-feed/routes.ts'
import { createRevocationStreams } from '../features/tokens/revocation-feed/streams.ts'
import { saveDeclared } from '../features/users/scopes/declared.ts'
import { scopeRulesOf, type ScopeRules } from '../features/users/scopes/scopes.ts'
import {
  createClientTokenIssuer,
  type ClientTokenIssuer,
} from '../features/tokens/sessions/issuing.ts'
import type { Lifetimes } from '../features/tokens/sessions/lifetimes.ts'
import {
  createSessionRefresher,
  type SessionRefresher,
} from '../features/tokens/sessions/refresh.ts'
import { sessionRoutes } from '../features/tokens/sessions/routes.ts'
import { createSessionEnds, type SessionEnds } from '../features/tokens/sessions/session-ends.ts'
import type { SessionStarter } from '../features/tokens/sessions/sessions.ts'
import {
  findSealingSecrets,
  findSigningKeySource,
  type SigningKeySource,
} from '../features/tokens/signing-keys/signing-key-source.ts'
import type { KeyRing } from '../features/tokens/signing-keys/key-ring.ts'
import {
  defaultRotation,
  startRotation,
  type RotationSettings,
} from '../features/tokens/signing-keys/rotation.ts'
import { openSigningKeys } from '../features/tokens/signing-keys/signing-keys.ts'
import { allowOrigins } from '../http/cors.ts'
import { guardReasonOf } from '../http/guard-reason.ts'
import { guardRefusals } from '../http/metrics.ts'
import { createProxies, withResolvedAddress, type Proxies } from '../http/proxies.ts'
import { createRouteNames, createRouter } from '../http/router.ts'
import type { Route } from '../http/route.ts'
import type { Service } from '../listener/service.ts'
import { createAppSessions } from './app-sessions.ts'
import { underLease } from './commands.ts'
import { cleanUpSteps, rules as safetyRules } from './features.ts'
import { findUnreadiness, readGauges } from './health.ts'
import { fetchFrom, type Keystile } from './keystile.ts'
import { wireAppFlows, wireMailFlows } from './mail-flows.ts'
import { openAccounts, type Accounts } from './open-accounts.ts'
import type { CheckedOptions } from './options.ts'
import { describingOutages } from './outage-log.ts'
import { accountPeople, appPeople, type People } from './people.ts'
import { readVersion } from '../base/version.ts'

export interface RunningKeystile extends Service {
  readonly keystile: Omit<Keystile<string, UserObject>, 'users'> & {
    readonly users?: AppUsers<string, User['publicUser']>
  }
  /** Keystile's own accounts. There are none if the app stores the users. */
  readonly users: Users
  readonly clients: Clients
  /** The OpenAPI document of the endpoints. */
  readonly document: JsonObject
}

/**
 * Opens the database and creates all parts of Keystile. Each part gets only the parts that it
 * needs. If one part cannot be created, this function closes those that are open.
 *
 * @throws {ConfigurationError} when a safety rule stops the start
 * @throws {Error} when the database cannot be opened
 */
export async function wire(
  given: CheckedOptions,
  meter: Meter = noMeter,
  rotation: RotationSettings = defaultRotation,
): Promise<RunningKeystile> {
  const options = describingOutages(given)
  const mailSeal = openMailSeal(() => findSealingSecrets(options))
  const notices = hasMail(options)
    ? createNotices(mailSeal, options.clock, options.disabledNotices)
    : noNotices
  const accounts = await openAccounts(options.database, { ...options, notices }, meter)
  try {
    return await wireAccounts({ options, accounts, notices, mailSeal, meter, rotation })
  } catch (error) {
    await accounts.close()
    throw error
  }
}

interface FirstParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  readonly notices: Notices
  readonly mailSeal: () => Seal
  readonly meter: Meter
  readonly rotation: RotationSettings
}

async function wireAccounts(first: FirstParts): Promise<RunningKeystile> {
  const { options, accounts } = first
  const { issuer, profile, passwordMinLength: minLength, logger } = options
  const { database, feed, users, passwords, audit } = accounts

  await enforceRules(safetyRules, options, database)
  const scopes = scopeRulesOf(options)
  const proxies = createProxies(options.trustedProxies ?? [])
  const limits = createConfiguredLimits(database, options, proxies.isTrusted)
  const knowsDevices = options.rateLimits === 'on' || hasMail(options)
  const devices = knowsDevices ? await openDevices(database, options.clock) : noDevices
  const passwordPolicy = createPasswordPolicy({ issuer, minLength })
  const userChanged = createUserAnnouncer(database, options.clock)
  const parts = { ...first, passwordPolicy, scopes, proxies, limits, devices, userChanged }
  const checks = { rules: scopes, logger, userChanged }

  if (options.users) {
    const directory = checkedDirectory(options.users, checks)
    const flows = wireAppFlows(parts, directory)
    return wirePeople(parts, appPeople(directory, { flows, feed }))
  }

  const directory = checkedDirectory(accountDirectory(users, scopes), checks)
  const flows = wireMailFlows(parts, directory)
  const routes = [
    flows.register,
    ...accountRoutes({ users, passwords, passwordPolicy, audit, limits, scopes, profile }),
    ...managementRoutes({ users, scopes, profile }),
    ...flows.routes,
  ]
  const rules = { passwordPolicy, scopes, profile }
  const appUsers = createAppUsers({ users, passwords, ...rules, invitations: flows.invitations })
  return wirePeople(parts, accountPeople(users, { ...flows, directory, routes, appUsers, feed }))
}

interface Parts extends FirstParts {
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly proxies: Proxies
  readonly limits: Limits
  readonly devices: Devices
  readonly userChanged: (subject: string) => Promise<void>
}

async function wirePeople<U>(parts: Parts, people: People<U>): Promise<RunningKeystile> {
  const { options, accounts, passwordPolicy, scopes, proxies, limits, userChanged, meter } = parts
  const { issuer, corsOrigins, logger } = options
  const { database, feed, users, passwords, clients, audit } = accounts

  const keySource = findSigningKeySource(options)
  const issuing = await wireIssuing(parts, keySource)
  await saveDeclared(database, options)
  const { verifier, starter, ends } = issuing
  const activeUsers = createActiveUsers(people.active)
  const jobs = await startJobs(parts, { ...people, keySource })
  feed.followSignals()
  const streams = createRevocationStreams({ feed, clients, logger })
  const routes = [
    ...listRoutes(parts, people, { ...issuing, isWelcome: activeUsers.isWelcome }),
    revocationsRoute({ issuer, clients, audit, limits, feed, streams }),
    ...jobs.routes,
  ]

  const router = createRouter<U>(routes, {
    issuer,
    guard: createGuardCore({
      verifier,
      scopes: scopes.declared,
      user: withRecall(activeUsers.find, (identity) => activeUsers.recall(identity)?.user),
    }),
    logger,
    isFirstParty: (clientId) => clientId === firstParty.id,
    onGuardRefusal: (error) => meter.add(guardRefusals, { reason: guardReasonOf(error) }),
  })
  const allowed = allowOrigins(router, { cookiePath: cookiePathOf(issuer), origins: corsOrigins })
  const document = describeRoutes(routes, {
    issuer,
    scopes: scopes.declared,
    version: readVersion(),
  })
  const docs = options.docs === 'on' ? createOwnDocs(document, issuer) : undefined
  const answerRoutes = withResolvedAddress(allowed, proxies)
  const answer: Keystile['answer'] = docs
    ? async (request) => (await answerRoutes(request)) ?? docs.answer(request)
    : answerRoutes
  const nameRoute = createRouteNames(routes, issuer)
  const show = (user: U | undefined): UserObject | undefined =>
    user === undefined ? undefined : people.show(user)

  const keystile: RunningKeystile['keystile'] = {
    issuer,
    verifier,
    scopes: scopes.declared,
    sessions: createAppSessions({ directory: people.directory, starter, ends, scopes }),
    logger,
    ...(people.users && { users: people.users }),
    ...createAppPasswords(passwords, passwordPolicy),
    answer,
    fetch: fetchFrom(answer),
    user: withRecall(
      async (identity) => show(await activeUsers.find(identity)),
      (identity) => activeUsers.recall(identity)?.shown,
    ),
    userChanged,
    async close() {
      streams.close()
      await jobs.close()
      await accounts.close()
    },
  }
  return {
    keystile,
    users,
    clients,
    options,
    document,
    findUnreadiness: () => findUnreadiness(accounts),
    readGauges: () => readGauges({ ...accounts, streams, jobs, signingKeys: issuing.signingKeys }),
    routeOf: (request) => nameRoute(request) ?? docs?.routeOf(request),
  }
}

/** The background jobs. Each job runs only while this process holds the lease of the job. */
interface Jobs extends Pick<Mail, 'routes' | 'gauges'> {
  /** Ends the jobs, and then releases the leases. */
  close(): Promise<void>
}

interface JobParts {
  readonly mailPurposes: readonly ProofPurpose[]
  readonly keySource: SigningKeySource
}

async function startJobs(
  { options, accounts, mailSeal: seal, meter, rotation: settings }: Parts,
  { mailPurposes: purposes, keySource: source }: JobParts,
): Promise<Jobs> {
  const { database } = accounts
  const { onEvent, clock, logger } = options

  const lease = openLease(database, { underLease, logger })
  const mail = await startMail(options, { database, lease, meter, seal })
  const resolver = startResolver({ database, lease, purposes, seal, clock, logger })
  const housekeeping = startHousekeeping(database, lease, cleanUpSteps, { ...options, meter })
  const rotation = startRotation(database, { ...settings, source, lease, clock, logger })
  const events = await startEventDelivery({ onEvent, database, underLease, clock, logger })
  return {
    routes: mail.routes,
    get gauges() {
      return [...mail.gauges, ...events.gauges]
    },
    async close() {
      await Promise.all([housekeeping, resolver, mail, events, rotation].map((job) => job.close()))
      await lease.close()
    },
  }
}

interface IssuingParts {
  readonly signingKeys: KeyRing
  readonly lifetimes: Lifetimes
  readonly verifier: Verifier
  readonly starter: SessionStarter
  readonly refresher: SessionRefresher
  readonly ends: SessionEnds
  readonly issueToClient: ClientTokenIssuer
}

async function wireIssuing(
  { options, accounts: { database, feed, clients }, rotation: { times } }: Parts,
  source: SigningKeySource,
): Promise<IssuingParts> {
  const {
    issuer,
    audience = issuer,
    accessTokenSeconds,
    sessionSeconds,
    idleSeconds,
    graceSeconds,
  } = options
  const { auditSeconds, clock, logger } = options

  const signingKeys = await openSigningKeys(database, {
    issuer,
    source,
    accessTokenSeconds,
    feed,
    clock,
    logger,
    times,
  })
  const lifetimes = { accessTokenSeconds, sessionSeconds, idleSeconds, graceSeconds }
  const issuing = {
    issuer,
    audience,
    ...lifetimes,
    hasAccounts: options.users === undefined,
    signingKey: () => signingKeys.signingKey(),
  }

  return {
    signingKeys,
    lifetimes,
    verifier: createVerifier({
      issuer,
      audience,
      keys: signingKeys.keySet,
      revocations: feed.revocations,
      clock,
    }),
    starter: await openLoginStarter(database, { issuing, clock, auditSeconds }),
    refresher: createSessionRefresher(database, { issuing, feed, clock, logger }),
    ends: createSessionEnds(database, {
      feed,
      clock,
      listDisabledClients: clients.listDisabledIds,
    }),
    issueToClient: createClientTokenIssuer(issuing, clock),
  }
}

function listRoutes<U>(
  { options, accounts, scopes, limits, devices, notices, meter }: Parts,
  { directory, routes }: People<U>,
  {
    signingKeys,
    lifetimes,
    verifier,
    starter,
    refresher,
    ends,
    issueToClient,
    isWelcome,
  }: IssuingParts & Pick<ActiveUsers<U>, 'isWelcome'>,
): readonly Route<Caller<string, U>>[] {
  const { issuer, corsOrigins, cookieSession, clock, logger } = options
  const { passwords, clients, audit } = accounts
  const login = createLogin({
    directory,
    passwords,
    audit,
    limits,
    devices,
    notices,
    starter,
    clock,
    logger,
  })
  const granting = { login, directory, refresher, scopes, audit, limits, meter }

  return [
    tokenRoute({ ...granting, grants, clients, issueToClient }),
    revokeRoute({ clients, audit, limits, refresher, ends, verifier }),
    introspectRoute({ clients, audit, limits, verifier, isWelcome }),
    ...(cookieSession
      ? cookieSessionRoutes({ ...granting, issuer, corsOrigins, ends, lifetimes, logger })
      : []),
    ...routes,
    ...sessionRoutes(ends),
    ...metadataRoutes({
      issuer,
      scopes: Object.keys(scopes.declared),
      grantTypes: grants.map(({ grantType }) => grantType),
      cookieSession,
      published: () => signingKeys.published(),
    }),
  ]
}
