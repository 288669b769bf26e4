import { ProblemError } from 'keystile/internal'
import { byApp } from '../features/audit/audit.ts'
import { firstParty } from '../features/clients/clients.ts'
import { grantScopes, type ScopeRules } from '../features/scopes/scopes.ts'
import type { SessionEnds, Session } from '../features/sessions/session-ends.ts'
import type { SessionStarter, StartedSession } from '../features/sessions/sessions.ts'
import type { Directory } from '../features/directory/directory.ts'

/** What a login gives. */
export interface Tokens {
  readonly accessToken: string
  readonly tokenType: 'bearer'
  /** Life of the access token, in seconds. */
  readonly expiresIn: number
  /** Gets the next tokens at `POST /token`, once. */
  readonly refreshToken: string
  readonly scopes: readonly string[]
}

/**
 * Sessions, for an application's own routes. What ends one resolves when this process refuses its
 * tokens.
 */
export interface Sessions {
  /**
   * Starts a session for somebody whom the application has recognised in its own way, by another
   * identity provider say. Does NOT prove anything about them.
   *
   * @param login the subject of the user's tokens (the `id` of an account of ours), and the scopes
   *   that are asked for; without any, all that the user holds
   * @throws {TypeError} for a scope that is not declared
   * @throws {ProblemError} `not_found` for a user who does not exist or may not come in
   */
  create(login: { readonly subject: string; readonly scopes?: readonly string[] }): Promise<Tokens>
  /** The sessions of a subject that are not over, the last used first. */
  list(subject: string): Promise<readonly Session[]>
  /**
   * Ends a session with all its tokens; one that is over or not there is no fault. Does NOT check
   * whose it is.
   */
  revoke(sessionId: string): Promise<void>
  /**
   * Ends all sessions of a subject: when their password has changed, say, where the app keeps it.
   */
  revokeAll(subject: string): Promise<void>
}

export function createAppSessions<U>(parts: {
  readonly directory: Directory<U>
  readonly starter: SessionStarter
  readonly ends: SessionEnds
  readonly scopes: ScopeRules
}): Sessions {
  const { directory, starter, ends, scopes: rules } = parts

  /** Starts nothing where the user may not log in, or was given other rights meanwhile. */
  async function tryStart(
    subject: string,
    requested: readonly string[] | undefined,
  ): Promise<StartedSession | undefined> {
    const user = await directory.findActive(subject)
    if (user === undefined) return undefined
    const scopes = grantScopes(requested, directory.scopes(user), firstParty.scopes)
    const rights = directory.rights(user)
    return starter.start({
      subject,
      clientId: firstParty.id,
      scopes,
      rights,
      refreshes: true,
      by: byApp,
    })
  }

  return {
    async create({ subject, scopes: requested }) {
      const undeclared = requested?.find((scope) => !Object.hasOwn(rules.declared, scope))
      if (undeclared !== undefined) throw new TypeError(`the scope "${undeclared}" is not declared`)
      const started = (await tryStart(subject, requested)) ?? (await tryStart(subject, requested))
      if (!started?.refreshToken)
        throw new ProblemError('not_found', 'There is no such user, or one who may not come in')
      const { accessToken, refreshToken, expiresInSeconds, scopes } = started
      return { accessToken, tokenType: 'bearer', expiresIn: expiresInSeconds, refreshToken, scopes }
    },
    list: ends.list,
    revoke: async (sessionId) => void (await ends.end(sessionId, byApp)),
    revokeAll: (subject) => ends.endAll(subject, byApp),
  }
}
