import type { Identity } from 'keystile'
import { tokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../../storage/database.ts'
import { hasStorableNames } from '../audit/audit.ts'

/**
 * Finds the active user of a token. A token without a session belongs to a client that acts for
 * itself. Such a token has no user, even if the id of the client equals the subject of a user.
 */
export interface ActiveUsers<U> {
  /**
   * Returns the active user of an identity; undefined if the identity is a client's, or if the user
   * is missing or not active.
   *
   * @throws {TokenError} `service_unavailable` while the database does not answer
   */
  find(identity: Identity): Promise<U | undefined>
  /** Whether the user of this identity is active. True for a client that acts for itself. */
  isWelcome(identity: Identity): Promise<boolean>
}

/**
 * Creates the lookup that guards use.
 *
 * @param findActive returns the active user with this subject
 */
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

/**
 * Returns a refusal with status 503 if the database does not respond, because clients would discard
 * the token after a 401. Returns any other error unchanged.
 */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseUnavailableError)) return error
  return tokenError('service_unavailable', { cause: error, retryAfterSeconds: 1 })
}
