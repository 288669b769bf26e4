import { OAuthError, type Logger } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Audit } from '../../audit/audit.ts'
import type { Client } from '../../clients/clients.ts'
import type { Counted, Limits } from '../../limits/limits.ts'
import { isTooLong, type Passwords } from '../../password/password.ts'
import { passwordMark } from '../../password/stored-hash.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'
import type { SessionStarter, StartedSession } from '../../sessions/sessions.ts'
import type { Directory } from '../../directory/directory.ts'
import { countedLogin } from '../../directory/names.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'

/** What a login needs. */
export interface LoginParts<U> {
  readonly directory: Directory<U>
  readonly passwords: Passwords
  readonly sessions: SessionStarter
  readonly scopes: ScopeRules
  readonly audit: Audit
  readonly limits: Limits
  readonly logger: Logger
}

/** Who sends a login: the client, and what is known of the device. */
type LoginClient = Client & { readonly device?: string | undefined; readonly address: string | undefined }

/** What a login gets. */
export interface Granted extends IssuedTokens {
  /** For the next login from the same device. */
  readonly deviceSecret?: string | undefined
}

/** Of the wait for a hash: as long may what is written of a login wait for others. */
const patienceShare = 1 / 10
/** A login that came between two others may have to be proved again. */
const maxTries = 2

/**
 * A person's login. In this order: form, scope, room to hash, limits, password, account, and the account once more, for hashing takes its
 * time; then the session is started, on our own accounts in one transaction with a last look. An unknown user, a wrong
 * password, a user without one and a disabled one are counted alike and get the same answer after the same work, with a line
 * in the audit record. What is over a limit is refused before anybody is looked for; what was no guess is given back with the session.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export async function grantByPassword<U>(form: Form, client: LoginClient, parts: LoginParts<U>): Promise<Granted> {
  const { directory, limits } = parts
  const { address } = client
  const username = form.get('username')
  const password = form.get('password')
  if (username === undefined || password === undefined)
    throw new OAuthError('invalid_request', 'The form must have username and password')
  const requested = readRequestedScopes(form.get('scope'), parts.scopes)
  // Wrong for everybody, so nothing is told by it: it is neither counted nor written down.
  if (isTooLong(password)) throw incorrect()
  // Whoever waits for a hash is in no hurry for a commit, and many in one are cheaper.
  const patienceMilliseconds = parts.passwords.requireRoom(address) * patienceShare
  const counted = await limits.countLogin({
    login: countedLogin(username),
    address,
    deviceSecret: form.get('device_secret'),
    patienceMilliseconds,
    async isOwn(device) {
      const user = await directory.findByLogin(username)
      if (user === undefined) return false
      const [hash, passwordSession] = [directory.passwordHash(user), directory.passwordSession(user)]
      return device.isOf({
        subject: directory.subject(user),
        passwordMark: hash && passwordMark(hash),
        passwordSession,
      })
    },
  })
  const attempt = { username, password, requested, counted, patienceMilliseconds }
  const { issued, subject, passwordHash } = await tryPassword(attempt, client, parts)
  const { sessionId } = issued
  const login = { subject, passwordMark: passwordMark(passwordHash), sessionId }
  return { ...issued, deviceSecret: limits.makeDeviceSecret(login) }
}

interface Proved {
  readonly issued: StartedSession
  readonly subject: string
  /** That is stored now. */
  readonly passwordHash: string
}

async function tryPassword<U>(
  {
    username,
    password,
    requested,
    counted,
    patienceMilliseconds,
  }: {
    readonly username: string
    readonly password: string
    readonly requested: ReturnType<typeof readRequestedScopes>
    readonly counted: Counted
    readonly patienceMilliseconds: number
  },
  client: LoginClient,
  parts: LoginParts<U>,
): Promise<Proved> {
  const { directory, passwords, sessions, audit } = parts
  const { id: clientId, device, address } = client
  const refreshes = client.grants.includes('refresh_token')
  const refuse = async (user?: U): Promise<never> => {
    const subject = user === undefined ? undefined : directory.subject(user)
    await audit.record({ event: 'login_refused', by: { actor: 'nobody', address }, subject, clientId })
    throw incorrect()
  }
  let found: U | undefined
  for (let tries = maxTries; tries > 0; tries--) {
    found = await directory.findByLogin(username)
    const passwordHash = found === undefined ? undefined : directory.passwordHash(found)
    const isProved = await passwords.verify(password, passwordHash, address).catch(async (error: unknown) => {
      await counted.giveBack() // what was not hashed was no guess; what was stays counted, whatever fails from now on
      throw error
    })
    if (!isProved || found === undefined || passwordHash === undefined || !directory.active(found)) return refuse(found)
    const user = await directory.findByLogin(username)
    if (user === undefined || !directory.active(user)) return refuse(found)
    if (directory.passwordHash(user) !== passwordHash) continue // another password, or another hash of this one
    const rights = directory.rights(user)
    const subject = directory.subject(user)
    const scopes = grantScopes(requested, directory.scopes(user), client.scopes)
    const by = { actor: `user:${subject}`, address } as const
    const { spent } = counted
    const login = {
      subject,
      passwordHash,
      rights,
      spent,
      patienceMilliseconds,
      clientId,
      scopes,
      refreshes,
      device,
      by,
    }
    const issued = await sessions.start(login)
    if (!issued) continue
    return { issued, subject, passwordHash: await renewHash(user, { password, passwordHash, address }, parts) }
  }
  return refuse(found)
}

/** A login is the one moment at which a hash can be made anew with today's parameters. It does not fail for that. @returns the hash that is stored now */
async function renewHash<U>(
  user: U,
  login: { readonly password: string; readonly passwordHash: string; readonly address: string | undefined },
  { directory, passwords, logger }: LoginParts<U>,
): Promise<string> {
  const { password, passwordHash, address } = login
  if (!directory.savePasswordHash || !passwords.isOutdated(passwordHash, password)) return passwordHash
  const hash = await passwords.renew(passwordHash, password, address).catch(() => undefined)
  if (hash === undefined) return passwordHash // too much to do at the moment; the next login will
  try {
    await directory.savePasswordHash(user, hash)
    return hash
  } catch (error) {
    // The text of a database's error repeats what was to be written, the hash that still opens the account among it.
    const reason = error instanceof Error ? error.name : 'what was thrown is no Error'
    logger.warn({ subject: directory.subject(user), reason }, 'a password hash that was made anew could not be saved')
    return passwordHash
  }
}

function incorrect(): OAuthError {
  return new OAuthError('invalid_grant', 'Incorrect username or password')
}
