// What the routes about accounts begin with, and what they are made from. Their refusals are in
// `refusals.ts`.
import type { CallerDemands, OpenRoute, RouteDoc, RouteGuard } from '../../../http/route.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import type { ScopeRules } from '../scopes/scopes.ts'
import type { AccountEvent } from './audit-events.ts'
import { recentLoginSeconds } from './login-age.ts'
import type { ProfileSchema } from './profile.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

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
type OwnDemands = CallerDemands & { readonly isFirstPartyOnly: true }

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

/** What a user who deletes the own account must have, whatever the path of the request. */
export const deletionDemands: OwnDemands = {
  guard: { scopes: [], maxAgeSeconds: recentLoginSeconds },
  isFirstPartyOnly: true,
  needsFactor: true,
}

/** The description of status 429 in the OpenAPI document. */
export const tooManyTries = 'Too many tries'
