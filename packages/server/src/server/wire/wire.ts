// Creates the running parts of Keystile, from bottom to top, by plain function calls: `accounts.ts`
// (the database and the accounts; then the safety rules are applied), `parts.ts` (limits, devices
// and more), `people.ts` (Keystile's accounts or the app's users), `mail-flows.ts`, `issuing.ts`
// (what issues tokens), `login.ts`, `jobs.ts` and `routes.ts`. The parameters of each call show
// what a part uses.
import type { UserObject } from 'keystile'
import { withRecall, type JsonObject } from 'keystile/internal'
import { enforceRules } from '../../configuration/enforce-rules.ts'
import { noMeter, type Meter } from '../../feature/metric.ts'
import { createAppPasswords } from '../../features/credentials/password-policy/app-passwords.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import { createNotices, noNotices } from '../../features/mail/messages/notices.ts'
import { openMailSeal } from '../../features/mail/outbox/mail-seal.ts'
import type { Clients } from '../../features/tokens/clients/clients.ts'
import { revocationsRoute } from '../../features/tokens/revocation-feed/routes.ts'
import { createRevocationStreams } from '../../features/tokens/revocation-feed/streams.ts'
import {
  defaultRotation,
  type RotationSettings,
} from '../../features/tokens/signing-keys/rotation.ts'
import { openValueSecrets } from '../../features/tokens/signing-keys/sealing-secrets.ts'
import { openSigningKeySource } from '../../features/tokens/signing-keys/signing-key-source.ts'
import { accountDirectory } from '../../features/users/accounts/account-directory.ts'
import type { AppUsers } from '../../features/users/accounts/app-users.ts'
import { createAppUsers } from '../../features/users/accounts/create-app-users.ts'
import { managementRoutes } from '../../features/users/accounts/management-routes.ts'
import { accountRoutes } from '../../features/users/accounts/own-account.ts'
import type { User } from '../../features/users/accounts/user.ts'
import type { Users } from '../../features/users/accounts/users.ts'
import { createActiveUsers } from '../../features/users/directory/active-users.ts'
import { checkedDirectory } from '../../features/users/directory/checked-directory.ts'
import { saveDeclared } from '../../features/users/scopes/declared.ts'
import type { Service } from '../../listener/service.ts'
import { createAppSessions } from '../app-sessions.ts'
import { rules as safetyRules } from '../features.ts'
import { findUnreadiness, readGauges } from '../health.ts'
import { fetchFrom, type Keystile } from '../keystile.ts'
import type { CheckedOptions } from '../options.ts'
import { withDescribedOutages } from '../outage-log.ts'
import { openAccounts, type ThreadOptions } from './accounts.ts'
import { wireAnswer } from './answer.ts'
import { forgetUser } from './forget.ts'
import { wireIssuing } from './issuing.ts'
import { startJobs } from './jobs.ts'
import { wireLoginPages } from './login-pages.ts'
import { wireLogin } from './login.ts'
import { wireAppFlows, wireMailFlows } from './mail-flows.ts'
import { createOpened } from './opened.ts'
import { openParts, type FirstParts, type Parts } from './parts.ts'
import { accountPeople, appPeople, type People } from './people.ts'
import { listRoutes } from './routes.ts'

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
  given: CheckedOptions & ThreadOptions,
  meter: Meter = noMeter,
  rotation: RotationSettings = defaultRotation,
): Promise<RunningKeystile> {
  const options = withDescribedOutages(given)
  const mailSeal = openMailSeal(() => openValueSecrets(options))
  const notices = hasMail(options)
    ? createNotices(mailSeal, options.clock, options.disabledNotices)
    : noNotices
  const opened = createOpened()
  const accounts = opened.add(await openAccounts(options.database, { ...options, notices }, meter))
  try {
    return await wireAccounts({ options, accounts, opened, notices, mailSeal, meter, rotation })
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function wireAccounts(first: FirstParts): Promise<RunningKeystile> {
  await enforceRules(safetyRules, first.options, first.accounts.database)
  const parts = await openParts(first)
  const { options, accounts, passwordPolicy, scopes, limits, userChanged } = parts
  const { profile, logger } = options
  const { feed, users, passwords, audit } = accounts
  const checks = { rules: scopes, logger, userChanged }

  if (options.users) {
    const directory = checkedDirectory(options.users, checks)
    const flows = wireAppFlows(parts, directory)
    return wirePeople(parts, appPeople(directory, { flows, feed }))
  }

  const own = accountDirectory(users, scopes, options.secondFactorRoles)
  const directory = checkedDirectory(own, checks)
  const flows = wireMailFlows(parts, directory)
  const accountParts = { users, passwords, passwordPolicy, audit, limits, scopes, profile }
  const routes = [
    flows.registration.register.route,
    ...accountRoutes(accountParts),
    ...managementRoutes(accountParts),
    ...flows.routes,
  ]
  const appUsers = createAppUsers({ ...accountParts, invitations: flows.invitations })
  return wirePeople(parts, accountPeople(users, { ...flows, directory, routes, appUsers, feed }))
}

async function wirePeople<U>(parts: Parts, people: People<U>): Promise<RunningKeystile> {
  const { options, opened, pages, accounts, passwordPolicy, scopes, limits, userChanged } = parts
  const { issuer, logger } = options
  const { database, feed, users, passwords, clients, audit } = accounts

  const keySource = openSigningKeySource(options)
  const issuing = await wireIssuing(parts, keySource)
  const { verifier, starter, ends } = issuing
  const signingIn = await wireLogin(parts, people, issuing)
  const { login, resetFactors, factorRoutes } = signingIn
  await saveDeclared(database, options)

  const activeUsers = createActiveUsers(people.active)
  const jobs = opened.add(await startJobs(parts, { ...people, keySource }))
  feed.followSignals()
  const streams = opened.add(createRevocationStreams({ feed, clients, logger }))

  const endpoints = [
    ...listRoutes(parts, people, { ...issuing, login, isWelcome: activeUsers.isWelcome }),
    revocationsRoute({ issuer, clients, audit, limits, feed, streams }),
    ...factorRoutes,
  ]
  const routes = [
    ...endpoints,
    ...wireLoginPages(parts, people, { ...issuing, ...signingIn, endpoints }),
    ...jobs.routes,
  ]
  const { answer, document, routeOf } = wireAnswer(routes, parts, { verifier, activeUsers, login })

  const show = (user: U | undefined): UserObject | undefined =>
    user === undefined ? undefined : people.show(user)
  const keystile: RunningKeystile['keystile'] = {
    issuer,
    verifier,
    scopes: scopes.declared,
    sessions: createAppSessions({ directory: people.directory, starter, ends, scopes, login }),
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
    resetFactors,
    forgetUser: (subject) => forgetUser(subject, parts),
    close: opened.close,
  }
  return {
    keystile,
    users,
    clients,
    options,
    pages,
    document,
    hasAdministrator: () => users.hasAdministrator(),
    findUnreadiness: () => findUnreadiness(accounts),
    readGauges: () => readGauges({ ...accounts, streams, jobs, signingKeys: issuing.signingKeys }),
    routeOf,
  }
}
