// The checks of the values that a directory returns.
import { isUserObject, isVerifiedUser, type Logger } from 'keystile/internal'
import { areStorable } from '../../../storage/storable.ts'
import { isHash, noPassword } from '../../credentials/password/stored-hash.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import type { AccountDirectory, Directory, UserDirectory } from './directory.ts'
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
  const subject = (user: U): string => subjectOf(directory, user)

  const active = (user: U): boolean => readBoolean('active', directory.active(user))

  const isCached = directory.cached === true
  const afterChange = async (user: U): Promise<void> => {
    if (isCached) await userChanged?.(subject(user))
  }

  return {
    isCached,
    subject,
    active,
    async findByLogin(login) {
      if (!isPossibleLogin(login)) return undefined
      return requireUser('findByLogin', await directory.findByLogin(login))
    },
    async findActive(sought) {
      if (!areStorable(sought)) return undefined

      const user = requireUser('findBySubject', await directory.findBySubject(sought))
      if (user === undefined) return undefined

      if (subject(user) !== sought)
        throw new TypeError('users.findBySubject must return the user with the requested subject')
      return active(user) ? user : undefined
    },
    scopes(user) {
      const scopes: unknown = directory.scopes(user)
      if (!isStrings(scopes)) throw wrong('scopes', 'a list of strings', scopes)

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
    savePasswordHash:
      directory.savePasswordHash &&
      (async (user, hash) => {
        await directory.savePasswordHash?.(user, hash)
        await afterChange(user)
      }),
    setPassword: checkedSetPassword(directory, afterChange),
  }
}

function checkedSetPassword<U>(
  directory: Pick<AccountDirectory<U>, 'setPassword'>,
  afterChange: (user: U) => Promise<void>,
): Directory<U>['setPassword'] {
  return (
    directory.setPassword &&
    (async (user, hash, options) => {
      const stored = await directory.setPassword?.(user, hash, options)
      const isStored = readBoolean('setPassword', stored)
      await afterChange(user)
      return isStored
    })
  )
}

function subjectOf<U>(directory: Pick<AccountDirectory<U>, 'subject'>, user: U): string {
  const value: unknown = directory.subject
    ? directory.subject(user)
    : (user as { readonly id?: unknown }).id
  if (typeof value === 'string' && value !== '') return value

  if (directory.subject) throw wrong('subject', 'a string that is not empty', value)
  throw new TypeError(
    'users.subject must be given, because the `id` of this user ' +
      `${value === '' ? 'is empty' : `has the type ${typeof value}`}; ` +
      'only a string that is not empty can be a subject. ' +
      'Fix: add subject: (user) => String(user.id)',
  )
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

/**
 * Returns the user, or undefined if there is none. Throws an error for any other value, such as
 * `false`: an app that returns `row?.active && row` returns `false` for a disabled user.
 */
function requireUser<U>(
  name: 'findByLogin' | 'findBySubject',
  user: U | undefined | null,
): U | undefined {
  if (user === undefined || user === null) return undefined
  if (!isUserObject(user)) throw wrong(name, 'an object, undefined or null', user)
  return user
}

/**
 * Returns a text, or undefined if there is none. A column may have an empty string instead of null,
 * so an empty string counts as none.
 */
function readText(name: 'username' | 'email' | 'passwordHash', text: unknown): string | undefined {
  if (text === undefined || text === null || text === '') return undefined
  if (typeof text !== 'string') throw wrong(name, 'a string, undefined or null', text)
  return text
}

function readBoolean(name: 'active' | 'needsFactor' | 'setPassword', value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  return value
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/**
 * Returns the error for a bug in the app. The message does not contain the value, because the value
 * may be personal data.
 */
function wrong(name: keyof UserDirectory<unknown>, expected: string, value: unknown): TypeError {
  if (!(value instanceof Promise)) return new TypeError(`users.${name} must return ${expected}`)

  // Nobody awaits this promise. If it is rejected, Node must not end the process.
  value.catch(() => {})
  return new TypeError(`users.${name} must return ${expected}, not a promise`)
}
