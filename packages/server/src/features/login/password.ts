import type { Clock, Logger } from 'keystile/internal'
import type { Audit } from '../audit/audit.ts'
import type { Directory } from '../directory/directory.ts'
import { countedLogin } from '../directory/names.ts'
import type { Device, Devices } from '../known-devices/devices.ts'
import type { Limits } from '../limits/limits.ts'
import type { Spent } from '../limits/uses.ts'
import { isTooLong, type Passwords } from '../password/password.ts'
import { passwordMark } from '../password/stored-hash.ts'
import type { LoginEvent } from './feature.ts'
import { countLogin } from './count-login.ts'
import type {
  CompletedLogin,
  Login,
  LoginAttempt,
  LoginOutcome,
  PasswordCredentials,
  RefusalReason,
  StartedLogin,
} from './login.ts'

/** What a login with a password needs. */
export interface PasswordMethodParts<U> {
  readonly directory: Directory<U>
  readonly passwords: Passwords
  readonly audit: Audit<LoginEvent>
  readonly limits: Limits
  readonly devices: Devices
  readonly clock: Clock
  readonly logger: Logger
}

/** A login may wait this share of its wait for a hash to share a commit with others. */
const patienceShare = 1 / 10
/** A login whose account another login has changed meanwhile gets a second try. */
const maxTries = 2

/**
 * The login with a password. It checks, in this order: the length of the password, whether a hash
 * can be computed in time, rate limits, the password, the account, and the account once more,
 * because hashing takes time. An unknown user, a wrong password, a user without a password and a
 * disabled user are counted alike, cost the same work and leave the same audit entry. An attempt
 * over a limit is refused before the user is looked up, except that a known device is compared with
 * its owner first.
 */
export function createPasswordMethod<U>(parts: PasswordMethodParts<U>): Login['byPassword'] {
  return (credentials) => createAttempt(credentials, parts)
}

function createAttempt<U>(
  credentials: PasswordCredentials,
  parts: PasswordMethodParts<U>,
): LoginAttempt {
  let counting: Counting | undefined
  let triesLeft = maxTries
  let last: Look<U> = { found: undefined, reason: 'unknown_user' }

  return {
    async prove() {
      // Wrong for every account, so it tells nothing: it is neither counted nor recorded.
      if (isTooLong(credentials.password))
        return { outcome: 'refused', reason: 'password_too_long' }
      counting ??= await countAttempt(credentials, parts)
      while (triesLeft > 0) {
        triesLeft--
        last = await look(credentials, counting.spent, parts)
        if (last.proved) return grantedOf(last.proved, counting, parts)
        if (last.reason !== 'changed_meanwhile') return refuse(last, credentials, parts)
      }
      return refuse({ ...last, reason: 'changed_meanwhile' }, credentials, parts)
    },
    async complete({ sessionId }: StartedLogin): Promise<CompletedLogin> {
      if (!last.proved) throw new Error('a login that was not proved cannot be completed')
      const hash = await renewHash(last.proved, credentials, parts)
      const subject = parts.directory.subject(last.proved.user)
      const login = { subject, passwordMark: passwordMark(hash), sessionId }
      return { deviceSecret: parts.devices.make(login) }
    },
  }
}

interface Counting {
  readonly spent: Spent
  readonly patienceMilliseconds: number
}

/** Refuses where there is no room to hash, then counts the login for its name or its device. */
async function countAttempt<U>(
  { username, address, deviceSecret }: PasswordCredentials,
  { passwords, limits, devices, directory }: PasswordMethodParts<U>,
): Promise<Counting> {
  // A login that waits for a hash need not hurry its commits, and shared commits are cheaper.
  const patienceMilliseconds = passwords.requireRoom(address) * patienceShare
  const arriving = {
    name: countedLogin(username),
    address,
    deviceSecret,
    patienceMilliseconds,
    async isOwn(device: Device) {
      const user = await directory.findByLogin(username)
      if (user === undefined) return false
      const hash = directory.passwordHash(user)
      return device.isOf({
        subject: directory.subject(user),
        passwordMark: hash && passwordMark(hash),
        passwordSession: directory.passwordSession(user),
      })
    },
  }
  return { spent: await countLogin(arriving, { limits, devices }), patienceMilliseconds }
}

interface Proved<U> {
  readonly user: U
  /** The hash that the password was verified against, and that is stored. */
  readonly passwordHash: string
}

/** One try: the user that was found first, and the proof or why there is none. */
type Look<U> =
  | { readonly found: U; readonly proved: Proved<U> }
  | {
      readonly found: U | undefined
      readonly proved?: undefined
      readonly reason: RefusalReason
    }

/** Finds the user, verifies the password with the same work in every case, and looks again. */
async function look<U>(
  { username, password, address }: PasswordCredentials,
  spent: Spent,
  { directory, limits, passwords }: PasswordMethodParts<U>,
): Promise<Look<U>> {
  const found = await directory.findByLogin(username)
  const passwordHash = found === undefined ? undefined : directory.passwordHash(found)
  const isRight = await passwords
    .verify(password, passwordHash, address)
    .catch(async (error: unknown) => {
      // Nothing was hashed, so it was no guess. What was hashed stays counted, whatever fails
      // later: otherwise an attacker who keeps the database busy could guess for free.
      await limits.refund(spent)
      throw error
    })
  if (found === undefined) return { found, reason: 'unknown_user' }
  if (passwordHash === undefined) return { found, reason: 'no_password' }
  if (!isRight) return { found, reason: 'wrong_password' }
  if (!directory.active(found)) return { found, reason: 'inactive' }
  // Read again after the hash: the start of the session can lock our accounts, not an app's users.
  const user = await directory.findByLogin(username)
  if (user === undefined) return { found, reason: 'unknown_user' }
  if (!directory.active(user)) return { found, reason: 'inactive' }
  // Another password, or another hash of the same one.
  if (directory.passwordHash(user) !== passwordHash) return { found, reason: 'changed_meanwhile' }
  return { found, proved: { user, passwordHash } }
}

function grantedOf<U>(
  { user, passwordHash }: Proved<U>,
  { spent, patienceMilliseconds }: Counting,
  { directory, clock }: PasswordMethodParts<U>,
): LoginOutcome {
  return {
    outcome: 'granted',
    subject: directory.subject(user),
    authenticatedAt: clock.now(),
    passwordHash,
    rights: directory.rights(user),
    scopes: directory.scopes(user),
    spent,
    patienceMilliseconds,
  }
}

/** Records the refusal, then refuses. */
async function refuse<U>(
  { found, reason }: { readonly found: U | undefined; readonly reason: RefusalReason },
  { address, clientId }: PasswordCredentials,
  { audit, directory }: PasswordMethodParts<U>,
): Promise<LoginOutcome> {
  const subject = found === undefined ? undefined : directory.subject(found)
  const by = { actor: 'nobody', address } as const
  await audit.record({ event: 'login_refused', by, subject, clientId })
  return { outcome: 'refused', reason }
}

/**
 * Hashes the password again where the stored hash does not have today's parameters: only a login
 * can do that. The login does not fail when it fails.
 *
 * @returns the hash that is stored now
 */
async function renewHash<U>(
  { user, passwordHash }: Proved<U>,
  { password, address }: PasswordCredentials,
  { directory, passwords, logger }: PasswordMethodParts<U>,
): Promise<string> {
  if (!directory.savePasswordHash || !passwords.isOutdated(passwordHash, password))
    return passwordHash
  const hash = await passwords.renew(passwordHash, password, address).catch(() => undefined)
  if (hash === undefined) return passwordHash // no room to hash now; the next login tries again
  try {
    await directory.savePasswordHash(user, hash)
    return hash
  } catch (error) {
    // A database's error repeats what was to be written: a hash that still opens the account.
    const reason = error instanceof Error ? error.name : 'what was thrown is no Error'
    const subject = directory.subject(user)
    logger.warn({ subject, reason }, 'a password hash that was made anew could not be saved')
    return passwordHash
  }
}
