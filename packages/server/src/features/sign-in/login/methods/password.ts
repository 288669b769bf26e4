import { isTooLong } from '../../../credentials/password/password.ts'
import { passwordMark } from '../../../credentials/password/stored-hash.ts'
import { countedLogin } from '../../../users/directory/counted-login.ts'
import type { Device } from '../../known-devices/devices.ts'
import { withProof, type CountedLogin, type LoginAttempt } from '../attempt.ts'
import { countLogin } from '../count-login.ts'
import { isOwnDevice } from '../own-device.ts'
import type { Method, MethodParts, RefusalReason, RefusedProof } from './method.ts'

type Credentials = Readonly<Record<'username' | 'password', string>>

type FindUser<U> = () => Promise<U | undefined>

/**
 * A caller cannot find out which users exist: the count, the work and the audit event are the same
 * for an unknown user, a wrong password, a user without a password and a disabled user. An attempt
 * over a rate limit is refused before the user is looked up. There is one exception: for a known
 * device, the user is looked up first, to check that the device belongs to this user.
 */
export const passwordMethod: Method<'username' | 'password'> = {
  name: 'password',
  amr: ['pwd'],
  parameters: {
    username: { type: 'string', description: 'The user name or the e-mail address' },
    password: { type: 'string', format: 'password' },
  },

  isCurrent(user, mark, { directory }) {
    const hash = directory.passwordHash(user)
    return hash !== undefined && passwordMark(hash) === mark
  },

  async prove(credentials, begun, parts) {
    const { username, password } = credentials
    const { directory, passwords, limits, clock } = parts
    const { address, passwordOf } = begun.asked
    const find = () =>
      passwordOf === undefined ? directory.findByLogin(username) : directory.findActive(passwordOf)

    if (isTooLong(password)) return refused('password_too_long')

    // A login is counted once, even if it has to verify the password a second time.
    const counted = begun.counted ?? (await count(username, find, begun, parts))
    const attempt = { ...begun, counted }

    const found = await find()
    const subject = found === undefined ? undefined : directory.subject(found)
    const hash = found === undefined ? undefined : directory.passwordHash(found)

    // Hashes even for an unknown user: a faster answer would reveal that the user does not exist.
    const isRight = await passwords
      .verify(password, hash, address)
      .catch(async (error: unknown) => {
        // Nothing was hashed, so this was not a guess. After a hash there is no refund, even if a
        // later step fails: otherwise an attacker who keeps the database busy could guess without
        // limit.
        await limits.refund(counted.spent)
        throw error
      })
    if (subject === undefined) return refused('unknown_user')
    if (hash === undefined) return refused('no_password', subject)
    if (!isRight) return refused('wrong_password', subject)

    // The transaction that ends the login can lock a Keystile account, but not an app's own user.
    // So the user is read again after the hash.
    const user = await find()
    if (user === undefined) return refused('unknown_user', subject)
    if (!directory.active(user)) return refused('inactive', subject)

    const login = { find, password, address }
    const current = await findCurrentHash(user, hash, login, parts)
    if (current === undefined) return { outcome: 'changed', attempt: { ...attempt, subject } }

    const proof = { method: 'password', at: clock.now(), mark: passwordMark(current) }
    const proved = withProof(attempt, directory.subject(user), proof)
    return { outcome: 'proved', attempt: proved, user }
  },
}

function refused(reason: RefusalReason, subject?: string): RefusedProof {
  return { outcome: 'refused', reason, subject }
}

/**
 * How long a login may wait for its commit, as a fraction of the time that it waits for its hash.
 * Logins that wait at the same time share one commit, so the server can handle more logins.
 */
const patienceShare = 1 / 10

/** Throws if hashing could not start in time. Otherwise counts the login. */
async function count<U>(
  username: Credentials['username'],
  find: FindUser<U>,
  { asked: { address, deviceSecret } }: LoginAttempt,
  { passwords, limits, devices, directory }: MethodParts<U>,
): Promise<CountedLogin> {
  const patienceMilliseconds = passwords.requireRoom(address) * patienceShare

  const arriving = {
    name: countedLogin(username),
    address,
    deviceSecret,
    patienceMilliseconds,
    async isOwn(device: Device) {
      const user = await find()
      return user !== undefined && isOwnDevice(device, user, directory)
    },
  }
  return countLogin(arriving, { limits, devices })
}

interface Login<U> extends Pick<Credentials, 'password'> {
  readonly find: FindUser<U>
  readonly address: string | undefined
}

/**
 * Returns the hash that is stored now, after renewing it if it is outdated. Returns undefined if
 * the user has a new password, or if another login has renewed the hash.
 *
 * @param verified the hash that the password was verified against
 */
async function findCurrentHash<U>(
  user: U,
  verified: string,
  login: Login<U>,
  parts: MethodParts<U>,
): Promise<string | undefined> {
  const { directory } = parts
  if (directory.passwordHash(user) !== verified) return undefined

  const renewed = await renewHash(user, verified, login, parts)
  if (renewed === undefined) return verified

  // Another login may have stored its renewed hash first, or the app may have stored none.
  const renewedUser = await login.find()
  const stored = renewedUser && directory.passwordHash(renewedUser)
  return stored === renewed || stored === verified ? stored : undefined
}

/**
 * Replaces the stored hash if it is not argon2id or costs less than configured. Only a login can
 * renew a hash, because only a login has the password. The login succeeds even if the renewal
 * fails.
 *
 * @returns the new hash; undefined if the hash is not outdated or the renewal failed
 */
async function renewHash<U>(
  user: U,
  stored: string,
  { password, address }: Pick<Login<U>, 'password' | 'address'>,
  { directory, passwords, logger }: MethodParts<U>,
): Promise<string | undefined> {
  if (!directory.savePasswordHash || !passwords.isOutdated(stored, password)) return undefined

  // Rejects if the hash queue is full; the next login tries again.
  const hash = await passwords.renew(stored, password, address).catch(() => undefined)
  if (hash === undefined) return undefined

  try {
    await directory.savePasswordHash(user, hash)
    return hash
  } catch (error) {
    // Logs only the name of the error: a database may repeat the hash in its message, and the hash
    // must not be in the log.
    const reason = error instanceof Error ? error.name : 'the thrown value is not an Error'
    const subject = directory.subject(user)
    logger.warn({ subject, reason }, 'a renewed password hash could not be saved')
    return undefined
  }
}
