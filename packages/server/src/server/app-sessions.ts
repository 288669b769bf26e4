import { ProblemError } from 'keystile/internal'
import { byApp } from '../features/operations/audit/by.ts'
import type { Login } from '../features/sign-in/login/login.ts'
import { firstParty } from '../features/tokens/clients/clients.ts'
import type { SessionEnds, Session } from '../features/tokens/sessions/session-ends.ts'
import type { SessionStarter, StartedSession } from '../features/tokens/sessions/sessions.ts'
import type { Directory } from '../features/users/directory/directory.ts'
import { grantScopes, type ScopeRules } from '../features/users/scopes/scopes.ts'

export interface Tokens {
  readonly accessToken: string
  readonly tokenType: 'bearer'
  /** The lifetime of the access token, in seconds. */
  readonly expiresIn: number
  /** The token that the app sends to `POST /token` to get new tokens. It works only once. */
  readonly refreshToken: string
  readonly scopes: readonly string[]
}

/**
 * Starts, lists and revokes sessions, for routes of the app. When `revoke` or `revokeAll` resolves,
 * this process already refuses the tokens of the revoked sessions. Other processes refuse these
 * tokens within a second.
 */
export interface Sessions {
  /**
   * Starts a session for a user whom the app has authenticated in its own way, for example with
   * another identity provider. Does NOT check any proof of identity.
   *
   * @param login `subject` is the user's subject: the `id` of a Keystile account, or the result of
   *   `users.subject` for an app's own user. `scopes` are the requested scopes. If they are not
   *   given, the session gets all scopes that the user holds. `amr` says how your app has
   *   authenticated the user (RFC 8176 §2), for the claims `amr` and `acr`: with `mfa`, by two
   *   factors.
   * @throws {TypeError} for a scope that is not declared
   * @throws {ProblemError} `not_found` for a user who does not exist or is disabled; `forbidden`
   *   if a login of the user needs a second factor and `amr` has no `mfa`
   */
  create(login: {
    readonly subject: string
    readonly scopes?: readonly string[]
    readonly amr?: readonly string[]
  }): Promise<Tokens>
  /** Returns the active sessions of a subject, the most recently used first. */
  list(subject: string): Promise<readonly Session[]>
  /**
   * Revokes a session with all its tokens. Does nothing if the session has ended or does not exist.
   * Does NOT check to whom the session belongs.
   */
  revoke(sessionId: string): Promise<void>
  /**
   * Revokes all sessions of a subject. Call it, for example, if the app stores the passwords and a
   * user's password has changed.
   */
  revokeAll(subject: string): Promise<void>
}

type NewLogin = Parameters<Sessions['create']>[0]

export function createAppSessions<U>(parts: {
  readonly directory: Directory<U>
  readonly starter: SessionStarter
  readonly ends: SessionEnds
  readonly scopes: ScopeRules
  readonly login: Pick<Login, 'needsSecondStep'>
}): Sessions {
  const { directory, starter, ends, scopes: rules } = parts

  /**
   * Starts a session. Returns undefined if the user may not log in, or if the user's rights have
   * changed after this function read them.
   *
   * @throws {ProblemError} `forbidden` if a second factor is missing
   */
  async function tryStart({
    subject,
    scopes: requested,
    amr,
  }: NewLogin): Promise<StartedSession | undefined> {
    const user = await directory.findActive(subject)
    if (user === undefined) return undefined
    if (!amr?.includes('mfa') && (await parts.login.needsSecondStep(subject)))
      throw new ProblemError(
        'forbidden',
        'A login of this user needs a second factor: check one, and pass amr with mfa',
      )

    return starter.start({
      subject,
      clientId: firstParty.id,
      scopes: grantScopes(requested, directory.scopes(user), firstParty.scopes),
      rights: directory.rights(user),
      refreshes: true,
      ...(amr && { amr }),
      by: byApp,
    })
  }

  return {
    async create(given) {
      const login = { ...given }
      const undeclared = login.scopes?.find((scope) => !Object.hasOwn(rules.declared, scope))
      if (undeclared !== undefined)
        throw new TypeError(`each scope must be declared; "${undeclared}" is not`)
      // A text such as 'nomfa' would contain 'mfa'.
      if (login.amr !== undefined && !isListOfStrings(login.amr))
        throw new TypeError("amr must be a list of strings, such as ['pwd', 'mfa']")

      // The second try is for a user whose rights changed during the first try.
      const started = (await tryStart(login)) ?? (await tryStart(login))
      if (!started?.refreshToken)
        throw new ProblemError('not_found', 'The user does not exist or is disabled')

      const { accessToken, refreshToken, expiresInSeconds, scopes } = started
      return { accessToken, tokenType: 'bearer', expiresIn: expiresInSeconds, refreshToken, scopes }
    },
    list: ends.list,
    revoke: async (sessionId) => void (await ends.end(sessionId, byApp)),
    revokeAll: (subject) => ends.endAll(subject, { by: byApp }),
  }
}

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
