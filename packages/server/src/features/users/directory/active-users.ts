// The active users of identities, for guards and for `keystile.user`.
import type { Identity } from 'keystile'
import { tokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../../../storage/database.ts'
import { hasUser, type KeptUser } from './kept-users.ts'
import type { UserLookup } from './user-cache.ts'

export interface ActiveUsers<U> {
  /**
   * Returns the active user of an identity. Undefined if the identity belongs to a client, or if
   * the user is missing or not active.
   *
   * @throws {TokenError} with the reason `service_unavailable` while the database does not answer
   */
  find(identity: Identity): Promise<U | undefined>
  /** Returns the user that `find` returns, if the user is in memory. Otherwise undefined. */
  recall(identity: Identity): KeptUser<U> | undefined
  /** Whether the user of this identity is active. True for a client that acts for itself. */
  isWelcome(identity: Identity): Promise<boolean>
}

export function createActiveUsers<U>(users: UserLookup<U>): ActiveUsers<U> {
  async function find(identity: Identity): Promise<U | undefined> {
    if (!hasUser(identity)) return undefined

    try {
      return await users.find(identity.subject)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  return {
    find,
    recall: users.recall,
    isWelcome: async (identity) =>
      identity.sessionId === undefined || (await find(identity)) !== undefined,
  }
}

/**
 * Converts a `DatabaseUnavailableError` into a refusal with status 503. With 401, clients would
 * discard the token. Returns any other error unchanged.
 */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseUnavailableError)) return error
  return tokenError('service_unavailable', { cause: error, retryAfterSeconds: 1 })
}
