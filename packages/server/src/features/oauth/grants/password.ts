import { OAuthError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Client } from '../../clients/clients.ts'
import { isTooLong, type Passwords } from '../../password/password.ts'
import type { SessionStarter } from '../../sessions/sessions.ts'
import type { User, Users } from '../../users/users.ts'
import { grantScopes, heldScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'

interface Granted {
  readonly accessToken: string
  readonly scopes: readonly string[]
}

/** What a login needs. */
export interface LoginParts {
  readonly users: Users
  readonly passwords: Passwords
  readonly sessions: SessionStarter
  readonly scopes: ScopeRules
}

/**
 * A person's login. In this order: form, scope, password, account; then the session is started in one transaction that
 * looks at the account once more. An unknown user, a wrong password and a disabled account get the same answer after
 * the same work.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @see RFC 6749 §4.3.2
 */
export async function grantByPassword(form: Form, client: Client, parts: LoginParts): Promise<Granted> {
  const { users, passwords, sessions, scopes: rules } = parts
  const username = form.get('username')
  const password = form.get('password')
  if (username === undefined || password === undefined)
    throw new OAuthError('invalid_request', 'The form must have username and password')
  const requested = readRequestedScopes(form.get('scope'), rules)
  if (isTooLong(password)) throw incorrect() // before anybody is looked for, so that it takes as long for everybody
  const user = await users.findByLogin(username)
  const isProved = await passwords.verify(password, user?.passwordHash)
  if (!user || !isProved || !user.active) throw incorrect()
  const passwordHash = await renewHash(user, password, username, users, passwords)
  const scopes = grantScopes(requested, heldScopes(user, rules))
  const started = await sessions.start({ subject: user.publicUser.id, passwordHash, clientId: client.id, scopes })
  if (!started) throw incorrect()
  return { accessToken: started.accessToken, scopes }
}

/**
 * A login is the one moment at which a hash can be made anew with today's parameters.
 *
 * @returns the hash that is stored now and that the password belongs to
 */
async function renewHash(
  user: User,
  password: string,
  username: string,
  users: Users,
  passwords: Passwords,
): Promise<string> {
  if (!passwords.isOutdated(user.passwordHash)) return user.passwordHash
  const hash = await passwords.hash(password).catch(() => undefined)
  if (hash === undefined) return user.passwordHash // too much to do at the moment; the next login will
  if ((await users.replacePasswordHash(user, hash)) === 'changed') return hash
  // Another login was faster, or the password is another one by now.
  const stored = (await users.findByLogin(username))?.passwordHash
  if (stored === undefined || !(await passwords.verify(password, stored))) throw incorrect()
  return stored
}

function incorrect(): OAuthError {
  return new OAuthError('invalid_grant', 'Incorrect username or password')
}
