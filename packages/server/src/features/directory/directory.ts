import { isUserObject, type Logger } from 'keystile/internal'
import { areStorable } from '../../storage/storable.ts'
import { isHash } from '../password/stored-hash.ts'
import { heldScopes, type ScopeRules, type StoredRights } from '../scopes/scopes.ts'

type FoundUser<U> = U | undefined | null | Promise<U | undefined | null>

/**
 * The users who log in, from where the application keeps them, such as its own table. An error of a
 * function, or a value of another type, refuses the request with 500.
 *
 * @typeParam U the application's user
 * @typeParam S the declared scopes
 */
export interface UserDirectory<U, S extends string = string> {
  /**
   * Returns the user who logs in with this text, a name or an e-mail address as it was typed. The
   * text never has control characters, a lone surrogate or more than 320 characters.
   */
  findByLogin(login: string): FoundUser<U>
  /**
   * Returns the user of a token. It is called on each guarded request, and its result is never
   * cached: keep it fast. The subject never has U+0000 or a lone surrogate.
   */
  findBySubject(subject: string): FoundUser<U>
  /**
   * The subject of the user's tokens. It must be unique, must never change, and must never be used
   * again for another user. Default: the user's `id`.
   */
  subject?(user: U): string
  /** Whether the user may log in and use tokens. It is called at each login and guarded request. */
  active(user: U): boolean
  /**
   * The scopes of this user, beside `defaultScopes`. A scope that is not declared is never granted;
   * the log reports it once.
   */
  scopes(user: U): readonly S[]
  /**
   * The stored hash: argon2id (`$argon2id$v=19$m=…,t=…,p=…$…`), scrypt (`$scrypt$ln=…,r=…,p=…$…`)
   * or bcrypt (`$2a$`, `$2b$`, `$2y$`). Undefined or null for a user without a password. With any
   * other text, or a hash that takes more than 1 GiB or some seconds to verify, the user cannot log
   * in; the log reports it.
   */
  passwordHash(user: U): string | undefined | null
  /**
   * Stores another hash of the same password. It is called at a login whose hash is not argon2id
   * with today's parameters, with the user as `findByLogin` returned it. Write only where the
   * stored hash is still that user's, or the write undoes a change of the password:
   * `update people set hash = $1 where id = $2 and hash = $3`. When it fails, the login does not.
   */
  savePasswordHash?(user: U, hash: string): unknown
}

/** The functions that a directory must have, and those that it may have. */
export const directoryFunctions = {
  required: ['findByLogin', 'findBySubject', 'active', 'scopes', 'passwordHash'],
  optional: ['subject', 'savePasswordHash'],
} as const

/** The directory of our own accounts, which knows more than an app's. */
export type AccountDirectory<U> = UserDirectory<U> &
  Partial<Pick<Directory<U>, 'passwordSession' | 'rights'>>

// decisions/0014-one-user-directory.md
/**
 * A directory as the server uses it: our own accounts or an app's users. Its results are checked.
 * Logins, guards and `keystile.sessions` know users through it alone.
 */
export interface Directory<U> {
  findByLogin(login: string): Promise<U | undefined>
  /** The user with this subject; undefined where the user is not active. */
  findActive(subject: string): Promise<U | undefined>
  subject(user: U): string
  active(user: U): boolean
  /** All scopes that the user holds, in the order of their declaration. */
  scopes(user: U): readonly string[]
  /** A hash that `Passwords` can verify. */
  passwordHash(user: U): string | undefined
  /** The session in which the user set the password; undefined where that is unknown. */
  passwordSession(user: U): string | undefined
  /**
   * The stored rights of the account: a session starts only while they are the same. Undefined for
   * an app's users.
   */
  rights(user: U): StoredRights | undefined
  /** Undefined where the app stores no hashes. */
  readonly savePasswordHash: ((user: U, hash: string) => Promise<void>) | undefined
}

/** No e-mail address is longer. */
const maxLoginLength = 320

/** How many undeclared scopes the log reports: they may come from a column with arbitrary texts. */
const maxReportedScopes = 100

/**
 * Checks the results of a directory. A user with another subject than was asked for is another
 * user, and an `active` that returns a promise would let every user in.
 */
export function checkedDirectory<U>(
  directory: AccountDirectory<U>,
  { rules, logger }: { readonly rules: ScopeRules; readonly logger: Logger },
): Directory<U> {
  const reportUndeclared = createScopeReport(rules, logger)

  function subject(user: U): string {
    const value: unknown = directory.subject
      ? directory.subject(user)
      : (user as { readonly id?: unknown }).id
    if (typeof value !== 'string' || value === '')
      throw wrong('subject', 'a string that is not empty')
    return value
  }

  function active(user: U): boolean {
    const value: unknown = directory.active(user)
    if (typeof value !== 'boolean') throw wrong('active', 'true or false')
    return value
  }

  return {
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
        throw new TypeError('users.findBySubject gave a user of another subject')
      return active(user) ? user : undefined
    },
    scopes(user) {
      const scopes: unknown = directory.scopes(user)
      if (!isStrings(scopes)) throw wrong('scopes', 'a list of strings')

      reportUndeclared(scopes)
      return heldScopes({ scopes, roles: [] }, rules)
    },
    passwordHash(user) {
      const hash: unknown = directory.passwordHash(user)
      if (hash === undefined || hash === null || hash === '') return undefined
      if (typeof hash !== 'string') throw wrong('passwordHash', 'a string, undefined or null')
      if (isHash(hash)) return hash

      logger.warn(
        { subject: subject(user) },
        'a stored password hash is of no kind that can be verified, or too costly',
      )
      return undefined
    },
    passwordSession: (user) => directory.passwordSession?.(user),
    rights: (user) => directory.rights?.(user),
    savePasswordHash:
      directory.savePasswordHash &&
      (async (user, hash) => void (await directory.savePasswordHash?.(user, hash))),
  }
}

/** Whether a text can be a login. A database may refuse any other with an error. */
function isPossibleLogin(text: string): boolean {
  return text.length <= maxLoginLength && !/\p{Cc}/u.test(text) && areStorable(text)
}

/** Returns a function that logs each scope that is not declared, once. */
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
      logger.warn({ scope }, 'users.scopes gives a scope that is not declared: it is not granted')
    }
  }
}

/** Refuses `false`, which an app returns with `row?.active && row` for a disabled user. */
function requireUser<U>(
  name: 'findByLogin' | 'findBySubject',
  user: U | undefined | null,
): U | undefined {
  if (user === undefined || user === null) return undefined
  if (!isUserObject(user)) throw wrong(name, 'an object, undefined or null')
  return user
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** A bug of the application. The message does not repeat the value: it may be personal. */
function wrong(name: keyof UserDirectory<unknown>, expected: string): TypeError {
  return new TypeError(`users.${name} must give ${expected}`)
}
