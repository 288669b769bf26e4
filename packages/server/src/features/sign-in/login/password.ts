import type { Clock, Logger } from 'keystile/internal'
import type { Audit } from '../../operations/audit/audit.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { countedLogin } from '../../users/directory/names.ts'
import type { Device, Devices } from '../known-devices/devices.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import type { Spent } from '../../operations/limits/uses.ts'
import type { Notices } from '../../mail/messages/notices.ts'
import { isTooLong, type Passwords } from '../../credentials/password/password.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
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

export interface PasswordMethodParts<U> {
  readonly directory: Directory<U>
  readonly passwords: Passwords
  readonly audit: Audit<LoginEvent>
  readonly limits: Limits
  readonly devices: Devices
  readonly notices: Notices
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * How long a login may wait for its commit, as a fraction of the time that it waits for its hash.
 * Logins that wait at the same time share one commit, so the server can handle more logins.
 */
const patienceShare = 1 / 10
/**
 * How many times one login verifies the password, at most. A second try is needed if another login
 * renewed the hash at the same time.
 */
const maxTries = 2

/**
 * Creates the function that logs a user in with a password. It checks, in this order: the length of
 * the password, whether a hash can be computed in time, the rate limits, the password, and the
 * account. It reads the account again after the hash, because the account may have changed in the
 * meantime.
 *
 * A caller cannot find out which users exist: the count, the work and the audit event are the same
 * for an unknown user, a wrong password, a user without a password and a disabled user. An attempt
 * over a rate limit is refused before the user is looked up. There is one exception: for a known
 * device, the user is looked up first, to check that the device belongs to this user.
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
      // A password that is too long is wrong for every account. So the login is not counted as a
      // guess, and no audit entry is written.
      if (isTooLong(credentials.password))
        return { outcome: 'refused', reason: 'password_too_long' }

      counting ??= await countAttempt(credentials, parts)

      while (triesLeft > 0) {
        triesLeft--
        last = await look(credentials, counting.spent, parts)
        if (last.proved) return grantedOf(last.proved, counting, { ...parts, ...credentials })
        if (last.reason !== 'changed_meanwhile') return refuse(last, credentials, parts)
      }
      return refuse({ ...last, reason: 'changed_meanwhile' }, credentials, parts)
    },
    async complete({ sessionId }: StartedLogin): Promise<CompletedLogin> {
      if (!last.proved)
        throw new Error('`prove()` must grant a login before `complete()` is called')

      const hash = await renewHash(last.proved, credentials, parts)
      const subject = parts.directory.subject(last.proved.user)
      const login = { subject, passwordMark: passwordMark(hash), sessionId }
      return { deviceSecret: parts.devices.make(login) }
    },
  }
}

interface Counting {
  readonly spent: Spent
  readonly isKnownDevice: boolean
  readonly patienceMilliseconds: number
}

/** Throws if hashing could not start in time. Otherwise counts the login. */
async function countAttempt<U>(
  { username, address, deviceSecret }: PasswordCredentials,
  { passwords, limits, devices, directory }: PasswordMethodParts<U>,
): Promise<Counting> {
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
  return { ...(await countLogin(arriving, { limits, devices })), patienceMilliseconds }
}

interface Proved<U> {
  readonly user: U
  /** The stored hash that the password was verified against. */
  readonly passwordHash: string
}

/**
 * The result of one try: the user who was found, and either what was proved or why the login is
 * refused.
 */
type Look<U> =
  | { readonly found: U; readonly proved: Proved<U> }
  | {
      readonly found: U | undefined
      readonly proved?: undefined
      readonly reason: RefusalReason
    }

/**
 * Finds the user, verifies the password, and reads the user again. The password is hashed even for
 * an unknown user. Otherwise a faster answer would reveal that the user does not exist.
 */
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
      // The password was not hashed, so this was not a guess. After a hash there is no refund, even
      // if a later step fails: otherwise an attacker who keeps the database busy could guess
      // without limit.
      await limits.refund(spent)
      throw error
    })

  if (found === undefined) return { found, reason: 'unknown_user' }
  if (passwordHash === undefined) return { found, reason: 'no_password' }
  if (!isRight) return { found, reason: 'wrong_password' }

  // The transaction that starts the session can lock a Keystile account, but not an app's own user.
  // So this function reads the user again after the hash.
  const user = await directory.findByLogin(username)
  if (user === undefined) return { found, reason: 'unknown_user' }
  if (!directory.active(user)) return { found, reason: 'inactive' }
  // The user now has a new password, or a new hash of the same password.
  if (directory.passwordHash(user) !== passwordHash) return { found, reason: 'changed_meanwhile' }
  return { found, proved: { user, passwordHash } }
}

function grantedOf<U>(
  { user, passwordHash }: Proved<U>,
  { spent, isKnownDevice, patienceMilliseconds }: Counting,
  {
    directory,
    clock,
    notices,
    address,
  }: PasswordMethodParts<U> & Pick<PasswordCredentials, 'address'>,
): LoginOutcome {
  const notice = isKnownDevice ? undefined : notices('new_device', address)
  return {
    outcome: 'granted',
    subject: directory.subject(user),
    authenticatedAt: clock.now(),
    passwordHash,
    rights: directory.rights(user),
    scopes: directory.scopes(user),
    spent,
    notice,
    noticeTo: notice && {
      email: directory.email(user),
      isVerified: directory.emailVerified(user),
    },
    patienceMilliseconds,
  }
}

/** Writes the audit entry of a refusal and returns the refusal. */
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
 * Replaces the stored hash if it is not argon2id or costs less than configured. Only a login can
 * renew a hash, because only a login has the password. The login succeeds even if the renewal
 * fails.
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
  if (hash === undefined) return passwordHash // the hash queue is full; the next login tries again

  try {
    await directory.savePasswordHash(user, hash)
    return hash
  } catch (error) {
    // Logs only the name of the error: a database may repeat the hash in its message, and the hash
    // must not be in the log.
    const reason = error instanceof Error ? error.name : 'the thrown value is not an Error'
    const subject = directory.subject(user)
    logger.warn({ subject, reason }, 'a renewed password hash could not be saved')
    return passwordHash
  }
}
