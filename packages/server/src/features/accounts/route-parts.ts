// What the account routes share: their settings, their caller and their answers.
import { ProblemError } from 'keystile/internal'
import type { CallerIdentity } from '../audit/audit.ts'
import type { User } from './users.ts'

/** The caller of a route for the own account. */
export interface AccountCaller {
  readonly identity: CallerIdentity
  readonly user: User
}

/** The settings that all account routes share. */
export const accountRoute = { below: 'issuer', refusals: 'problem' } as const

/** The settings of routes for the own account: they require a token, but no scope. */
export const ownAccount = { below: 'issuer', refusals: 'problem', guard: { scopes: [] } } as const

/** The description of status 429 in the OpenAPI document. */
export const tooManyTries = 'Too many tries'

/** The answer to a name or address that another user has. It reveals that such a user exists. */
export function taken(field: 'username' | 'email'): ProblemError {
  return new ProblemError('conflict', `This ${field} is already taken`)
}

/** The answer if another request changed the user after this one read it. */
export function outdated(): ProblemError {
  return new ProblemError(
    'conflict',
    'Another request changed this user at the same time; read the user again',
  )
}
