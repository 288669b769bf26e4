// Checks what a directory returns. `directory-values.ts` has the checks of single values.
import { isVerifiedUser, type Logger } from 'keystile/internal'
import { areStorable } from '../../../storage/storable.ts'
import { isHash, noPassword } from '../../credentials/password/stored-hash.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import { readBoolean, readScopes, readSubject, readText, readUser } from './directory-values.ts'
import type { AccountDirectory, Directory } from './directory.ts'
import { parseEmail } from './names.ts'

/**
 * The maximum length of a user name or e-mail address, in characters. Keystile does not ask a
 * directory for a longer text. An e-mail address has at most 64 characters before the `@` and 255
 * after it (RFC 5321 §4.5.3.1).
 */
const maxLoginLength = 320

/**
 * How many undeclared scopes the log reports at most. Without this limit, a column of the app with
 * arbitrary strings could fill the log.
 */
const maxReportedScopes = 100

/**
 * Wraps a directory and checks its results, because a bug in the directory could let the wrong user
 * in. For example, `findBySubject()` could return a user whose subject is not the subject of the
 * token. If `active()` returned a promise, every user would count as active.
 */
export function checkedDirectory<U>(
  directory: AccountDirectory<U>,
  {
    rules,
    logger,
    userChanged,
  }: {
    readonly rules: ScopeRules
    readonly logger: Logger
    /**
     * Called after each `savePasswordHash()` and `setPassword()` of the directory, if users are
     * cached.
     */
    readonly userChanged?: (subject: string) => Promise<void>
  },
): Directory<U> {
  const reportUndeclared = createScopeReport(rules, logger)
  const subject = (user: U): string => readSubject(directory, user)

  const active = (user: U): boolean => readBoolean('active', directory.active(user))
  const isCached = directory.cached === true

  return {
    isCached,
    subject,
    active,
    async findByLogin(login) {
      if (!isPossibleLogin(login)) return undefined
      return readUser('findByLogin', await directory.findByLogin(login))
    },
    async findActive(sought) {
      if (!areStorable(sought)) return undefined

      const user = readUser('findBySubject', await directory.findBySubject(sought))
      if (user === undefined) return undefined

      if (subject(user) !== sought)
        throw new TypeError('users.findBySubject must return the user with the requested subject')
      return active(user) ? user : undefined
    },
    scopes(user) {
      const scopes = readScopes(directory.scopes(user))
      reportUndeclared(scopes)
      return heldScopes({ scopes, roles: [] }, rules)
    },
    passwordHash(user) {
      const hash = readText('passwordHash', directory.passwordHash(user))
      if (hash === undefined || hash === noPassword) return undefined
      if (isHash(hash)) return hash

      logger.warn({ subject: subject(user) }, unusableHash)
      return undefined
    },
    storedHash: (user) => readText('passwordHash', directory.passwordHash(user)),
    username: (user) => readText('username', directory.username?.(user)),
    email(user) {
      const address = readText('email', directory.email?.(user))
      const parsed = address === undefined ? undefined : parseEmail(address)
      if (address !== undefined && !parsed) logger.warn({ subject: subject(user) }, unusableAddress)
      return parsed?.shown
    },
    emailVerified: (user) => directory.emailVerified?.(user) ?? isVerifiedUser(user),
    needsFactor: (user) =>
      directory.needsFactor ? readBoolean('needsFactor', directory.needsFactor(user)) : false,
    passwordSession: (user) => directory.passwordSession?.(user),
    rights: (user) => directory.rights?.(user),
    ...checkedWrites(directory, async (user) => {
      if (isCached) await userChanged?.(subject(user))
    }),
  }
}

/** Returns the functions that write users. Each is undefined if the directory does not have it. */
function checkedWrites<U>(
  directory: Pick<AccountDirectory<U>, 'savePasswordHash' | 'setPassword'>,
  afterChange: (user: U) => Promise<void>,
): Pick<Directory<U>, 'savePasswordHash' | 'setPassword'> {
  return {
    savePasswordHash:
      directory.savePasswordHash &&
      (async (user, hash) => {
        await directory.savePasswordHash?.(user, hash)
        await afterChange(user)
      }),
    setPassword:
      directory.setPassword &&
      (async (user, hash, options) => {
        const stored = await directory.setPassword?.(user, hash, options)
        const isStored = readBoolean('setPassword', stored)
        await afterChange(user)
        return isStored
      }),
  }
}

const unusableHash =
  'the user cannot log in: the stored password hash must be argon2id, scrypt or bcrypt, ' +
  'and not too costly to verify'

const unusableAddress =
  'the user gets no mails: users.email must return one e-mail address, such as ada@example.com'

/**
 * Whether a string can be a user name or an e-mail address. Some databases fail with an error for
 * other strings.
 */
function isPossibleLogin(text: string): boolean {
  return text.length <= maxLoginLength && !/\p{Cc}/u.test(text) && areStorable(text)
}

function createScopeReport(
  { declared }: ScopeRules,
  logger: Logger,
): (scopes: readonly string[]) => void {
  const reported = new Set<string>()
  return (scopes) => {
    for (const scope of scopes) {
      if (Object.hasOwn(declared, scope) || reported.size >= maxReportedScopes) continue
      if (reported.has(scope)) continue

      reported.add(scope)
      logger.warn(
        { scope },
        'users.scopes returned a scope that is not declared: it is not granted',
      )
    }
  }
}
