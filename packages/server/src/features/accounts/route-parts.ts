import { ProblemError } from 'keystile/internal'
import type { CallerIdentity } from '../audit/audit.ts'
import type { User } from './users.ts'

/** The caller of a route for the own account. */
export interface AccountCaller {
  readonly identity: CallerIdentity
  readonly user: User
}

/** What all account routes have in common. */
export const accountRoute = { below: 'issuer', refusals: 'problem' } as const

/** The routes of the own account demand a token, but no scope. */
export const ownAccount = { below: 'issuer', refusals: 'problem', guard: { scopes: [] } } as const

/** What the documentation says about status 429. */
export const tooManyTries = 'Too many tries'

export function taken(field: 'username' | 'email'): ProblemError {
  return new ProblemError('conflict', `This ${field} is already taken`)
}

/** Another request changed the user between the decision of this one and its write. */
export function outdated(): ProblemError {
  return new ProblemError(
    'conflict',
    'Somebody else has changed this user at the same time; read it again',
  )
}
