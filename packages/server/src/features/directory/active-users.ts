import type { Identity } from 'keystile'
import { tokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../../storage/database.ts'
import { hasStorableNames } from '../audit/audit.ts'

/**
 * The active users behind identities. A token without a session is that of a client that acts for
 * itself: it has no user, even where a user's subject is spelled like the id of the client.
 */
export interface ActiveUsers<U> {
  /** @throws {TokenError} `service_unavailable` while the database is away */
  find(identity: Identity): Promise<U | undefined>
  /** Whether the user of this identity is active. True for a client that acts for itself. */
  isWelcome(identity: Identity): Promise<boolean>
}

/** @param findActive returns the active user with this subject */
export function createActiveUsers<U>(
  findActive: (subject: string) => Promise<U | undefined>,
): ActiveUsers<U> {
  async function find(identity: Identity): Promise<U | undefined> {
    if (identity.sessionId === undefined || !hasStorableNames(identity)) return undefined
    try {
      return await findActive(identity.subject)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  return {
    find,
    isWelcome: async (identity) =>
      identity.sessionId === undefined || (await find(identity)) !== undefined,
  }
}

/** A database that is away is no reason to call a token invalid: clients would throw it away. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseUnavailableError)) return error
  return tokenError('service_unavailable', { cause: error, retryAfterSeconds: 1 })
}
