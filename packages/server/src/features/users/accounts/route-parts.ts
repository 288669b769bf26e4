// What the account routes share: their settings, their caller and their refusals. `keystile.users`
// has the same refusals.
import { ProblemError } from 'keystile/internal'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { OpenRoute, RouteDoc, RouteGuard } from '../../../http/route.ts'
import { areStorable } from '../../../storage/storable.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { mailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import type { ScopeRules } from '../scopes/scopes.ts'
import type { AccountEvent } from './audit-events.ts'
import type { ProfileSchema } from './profile.ts'
import type { User, Users } from './users.ts'

/** What the account routes and `keystile.users` are made from. */
export interface AccountParts {
  readonly users: Users
  readonly passwords: Passwords
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly profile: ProfileSchema | undefined
  readonly audit: Audit<AccountEvent>
  readonly limits: Limits
}

export interface AccountCaller {
  readonly identity: CallerIdentity
  readonly user: User
}

type Method = OpenRoute['method']
type AccountRoute = Omit<OpenRoute, 'guard' | 'isOptional' | 'isFirstPartyOnly' | 'handle'>
type OwnRoute = AccountRoute & { readonly guard: RouteGuard; readonly isFirstPartyOnly: true }

/** The documentation of a route about accounts. The default of `tag` is `Own account`. */
export type AccountDoc = Omit<RouteDoc, 'tag'> & Partial<Pick<RouteDoc, 'tag'>>

/** Begins a route about the account of the person who sends the request. */
export function accountRoute(method: Method, path: string, doc: AccountDoc): AccountRoute {
  return { method, path, below: 'issuer', refusals: 'problem', doc: { tag: 'Own account', ...doc } }
}

/** Begins a route for the caller's own account, which needs a token of the app itself. */
export function ownAccount(method: Method, path: string, doc: AccountDoc): OwnRoute {
  return { ...accountRoute(method, path, doc), guard: { scopes: [] }, isFirstPartyOnly: true }
}

/** The description of status 429 in the OpenAPI document. */
export const tooManyTries = 'Too many tries'

/**
 * Returns the error for a name or address that another user already has. The error reveals that
 * such a user exists.
 *
 * @param member the member of the body that has the name or the address
 */
export function taken(field: 'username' | 'email', member: string = field): ProblemError {
  return aboutMember('conflict', member, `This ${field} is already taken`)
}

export function tooManyMails(): ProblemError {
  return mailboxFull('mails', 60 * minuteMilliseconds)
}

/** Returns the error for one member of the body. `errors` names the member. */
export function aboutMember(
  code: 'conflict' | 'forbidden',
  member: string,
  msg: string,
): ProblemError {
  const errors = [{ loc: ['body', member], msg, type: 'value_error' }]
  return new ProblemError(code, msg, { errors })
}

/**
 * Returns the error for a user that another request has changed since this request read the user.
 */
export function outdated(): ProblemError {
  return new ProblemError(
    'conflict',
    'Another request changed this user at the same time; read the user again',
  )
}

/**
 * How old a login may be, in seconds, that deletes the account or changes its second factors. A
 * stolen token of an older login is not enough.
 */
export const recentLoginSeconds = 300

/**
 * Refuses a request that did not change a user.
 *
 * @throws {ProblemError} `conflict`
 */
export function refuseUnchanged(
  outcome: 'changed' | 'deleted' | 'absent' | 'outdated' | 'last-administrator',
): void {
  if (outcome === 'outdated') throw outdated()
  if (outcome === 'last-administrator')
    throw new ProblemError('conflict', 'The last administrator must stay an administrator')
}

/** Returns a user as stored now, not from the cache; undefined if there is no such user. */
export async function findUser(id: string, users: Users): Promise<User | undefined> {
  return areStorable(id) ? users.readBySubject(id) : undefined
}

/**
 * Returns a user as stored now, not from the cache. A decision that is based on a cached user could
 * undo the change of another process.
 *
 * @throws {ProblemError} `not_found`
 */
export async function getUser(id: string | undefined, users: Users): Promise<User> {
  const user = id === undefined ? undefined : await findUser(id, users)
  if (!user) throw new ProblemError('not_found', 'There is no such user')
  return user
}
