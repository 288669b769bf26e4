import { isUserObject, type Logger } from 'keystile/internal'
import { areStorable } from '../../storage/storable.ts'
import { isHash } from '../password/stored-hash.ts'
import { heldScopes, type ScopeRules, type StoredRights } from '../scopes/scopes.ts'

type Found<U> = U | undefined | null | Promise<U | undefined | null>

/**
 * The people who log in, wherever they are kept: a table of the application's own, say. `U`: its user, `S`: the declared
 * scopes. Whatever a function throws is answered with 500 and lets nobody in, and so is a value that is not of its type.
 */
export interface UserDirectory<U, S extends string = string> {
  /**
   * The user who logs in with this, be it a name or an e-mail address; the letters are as they were typed. It is never
   * asked for what has control characters, a lone surrogate or more than 320 characters.
   */
  findByLogin(login: string): Found<U>
  /**
   * The user of a token, on each guarded request: keep it fast. Nothing of what it gives is kept. It is never asked for
   * what has U+0000 or a lone surrogate.
   */
  findBySubject(subject: string): Found<U>
  /**
   * What tokens call the user by: never the same for two people, never another for one, and never used again. Default: the
   * user's `id`.
   */
  subject?(user: U): string
  /** Whether the user may come in: asked at each login and on each guarded request. */
  active(user: U): boolean
  /** The scopes of this user, beside `defaultScopes`. One that is not declared is never granted; the log says so once. */
  scopes(user: U): readonly S[]
  /**
   * The stored hash: argon2id (`$argon2id$v=19$m=…,t=…,p=…$…`), scrypt (`$scrypt$ln=…,r=…,p=…$…`) or bcrypt (`$2a$`, `$2b$`,
   * `$2y$`). Nothing where there is no password to log in with. One that is not of these, or would take more than 1 GiB or
   * some seconds to verify, opens nothing; the log says so.
   */
  passwordHash(user: U): string | undefined | null
  /**
   * Keeps another hash of the same password: called at a login whose hash is not argon2id of today's parameters. The user is
   * as `findByLogin` gave them. Write where the stored hash is still theirs, or a password that was changed meanwhile is
   * undone: `update people set hash = $1 where id = $2 and hash = $3`. When it fails, the login does not.
   */
  savePasswordHash?(user: U, hash: string): unknown
}

/** The functions that a directory must have, and may have. */
export const directoryFunctions = {
  required: ['findByLogin', 'findBySubject', 'active', 'scopes', 'passwordHash'],
  optional: ['subject', 'savePasswordHash'],
} as const

/** Our own accounts, of which more is known. */
export type AccountDirectory<U> = UserDirectory<U> & Partial<Pick<Directory<U>, 'passwordSession' | 'rights'>>

/** A directory as the server asks it, our own accounts or another's. What it gives was checked. */
export interface Directory<U> {
  findByLogin(login: string): Promise<U | undefined>
  /** Whoever has this subject, if they may come in. */
  findActive(subject: string): Promise<U | undefined>
  subject(user: U): string
  active(user: U): boolean
  /** What the user holds, the defaults with it: declared scopes in the order of their declaration. */
  scopes(user: U): readonly string[]
  /** A hash that can be verified. */
  passwordHash(user: U): string | undefined
  /** The session in which the user set their password, where that is known. */
  passwordSession(user: U): string | undefined
  /** What the account holds, as it is stored: a session starts only while that is so. None for an app's own users. */
  rights(user: U): StoredRights | undefined
  /** Absent where a hash cannot be kept. */
  readonly savePasswordHash: ((user: U, hash: string) => Promise<void>) | undefined
}

/** No e-mail address is longer, and what a name has in it can be seen. A database may refuse the rest with an error. */
const maxLoginLength = 320

/** How many undeclared scopes are told of: they may come from a column that anything can be in. */
const maxReportedScopes = 100

/**
 * Puts checks around a directory: a user of another subject than was asked for would be somebody else's, an `active` that is
 * a promise would let everybody in.
 */
export function checkedDirectory<U>(
  directory: AccountDirectory<U>,
  { rules, logger }: { readonly rules: ScopeRules; readonly logger: Logger },
): Directory<U> {
  const reportedScopes = new Set<string>()

  function subject(user: U): string {
    const value: unknown = directory.subject ? directory.subject(user) : (user as { readonly id?: unknown }).id
    if (typeof value !== 'string' || value === '') throw wrong('subject', 'a string that is not empty')
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
      if (login.length > maxLoginLength || /\p{Cc}/u.test(login) || !areStorable(login)) return undefined
      return requireUser('findByLogin', await directory.findByLogin(login))
    },
    async findActive(sought) {
      if (!areStorable(sought)) return undefined
      const user = requireUser('findBySubject', await directory.findBySubject(sought))
      if (user === undefined) return undefined
      if (subject(user) !== sought) throw new TypeError('users.findBySubject gave a user of another subject')
      return active(user) ? user : undefined
    },
    scopes(user) {
      const scopes: unknown = directory.scopes(user)
      if (!isStrings(scopes)) throw wrong('scopes', 'a list of strings')
      for (const scope of scopes) {
        if (Object.hasOwn(rules.declared, scope) || reportedScopes.size >= maxReportedScopes) continue
        if (reportedScopes.has(scope)) continue
        reportedScopes.add(scope)
        logger.warn({ scope }, 'users.scopes gives a scope that is not declared: it is not granted')
      }
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
      directory.savePasswordHash && (async (user, hash) => void (await directory.savePasswordHash!(user, hash))),
  }
}

/** `row?.active && row` is `false` for a blocked user, which must never pass for a user. */
function requireUser<U>(name: 'findByLogin' | 'findBySubject', user: U | undefined | null): U | undefined {
  if (user === undefined || user === null) return undefined
  if (!isUserObject(user)) throw wrong(name, 'an object, undefined or null')
  return user
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** A bug of the application. What was given is not repeated: it may be personal. */
function wrong(name: keyof UserDirectory<unknown>, expected: string): TypeError {
  return new TypeError(`users.${name} must give ${expected}`)
}
