// The interface between Keystile and the place where users are stored. `checked-directory.ts` makes
// a `Directory` from what an app or Keystile's accounts give.
import type { StoredRights } from '../scopes/stored-rights.ts'

type FoundUser<U> = U | undefined | null | Promise<U | undefined | null>

/**
 * The application's own users, for example from its own table. If a function throws, or returns a
 * value of a wrong type, the request gets status 500.
 *
 * @typeParam U the application's user
 * @typeParam S the declared scopes
 */
export interface UserDirectory<U, S extends string = string> {
  /**
   * Returns the user who has this name or e-mail address. `login` is what the user typed. It never
   * has control characters, a lone surrogate or more than 320 characters.
   */
  findByLogin(login: string): FoundUser<U>
  /**
   * Returns the user with this subject. Guards call this function for each request, or less often
   * if `cached` is true. So keep it fast. The subject never has U+0000 or a lone surrogate.
   */
  findBySubject(subject: string): FoundUser<U>
  /**
   * Whether guards keep users in memory. Default: false. If true, your app must call
   * `keystile.userChanged(subject)` after each change of a user. Until this call, guards use the
   * old user, for 60 s at most. Keystile freezes each user that it keeps, because all requests
   * share the object. So `findBySubject()` must not return an object that your app changes.
   */
  readonly cached?: boolean
  /**
   * Returns the subject of the user's tokens. It must be unique, must never change, and must never
   * be used again for another user. Default: the user's `id`, if that is a string.
   */
  subject?(user: U): string
  /** Whether the user may log in and use tokens. Called for each login and each guarded request. */
  active(user: U): boolean
  /**
   * Returns the scopes of this user, without `defaultScopes`. A scope that is not declared is never
   * granted; the log reports it once.
   */
  scopes(user: U): readonly S[]
  /**
   * Returns the stored hash: argon2id (`$argon2id$v=19$m=…,t=…,p=…$…`), scrypt
   * (`$scrypt$ln=…,r=…,p=…$…`) or bcrypt (`$2a$`, `$2b$`, `$2y$`). Undefined or null for a user
   * without a password. With any other string, or with a hash that takes more than 1 GiB or several
   * seconds to verify, the user cannot log in, and the log reports it.
   */
  passwordHash(user: U): string | undefined | null
  /**
   * Replaces the hash of a user by an argon2id hash of the same password. A login calls this
   * function if the stored hash is not argon2id or costs less than `passwordHashing`. It passes
   * the user that `findByLogin()` or `findBySubject()` returned. Leave the function out if other
   * programs also verify these hashes and support only bcrypt or scrypt: those programs could not
   * verify the new hash. Without the function, hashes stay as they are. Write only if the stored
   * hash is still the hash of the passed user: `update people set hash = $1 where id = $2 and hash
   * = $3`. Otherwise the write could undo a change of the password. The login succeeds even if the
   * function fails.
   */
  savePasswordHash?(user: U, hash: string): unknown
  /**
   * Returns the user name, if users log in with a name and not with their address. Pages and
   * authenticator apps show it. Without a name they show the address, and without an address the
   * subject. A new password by mail must not contain the name. Undefined or null for no name.
   */
  username?(user: U): string | undefined | null
  /**
   * Returns the e-mail address of the user, for the mails that Keystile sends. Undefined or null
   * for a user without an address. Required by the options that send mail. If the directory has
   * this function, users get a notice of each login from a new device, except their first login.
   * If the user has `emailVerified: true`, mails for a new password that a known device requested
   * have limits of their own.
   */
  email?(user: U): string | undefined | null
  /**
   * Stores the hash of a new password, and returns true. With this function, `email()` and mail,
   * users can set a new password by a link or a code: at `POST /password-resets` and on the pages.
   * The person who sets the password has proved that they read the mails to the address of the
   * passed user. Write only if the stored hash still equals `replaces`, and otherwise return false:
   * `update people set hash = $1 where id = $2 and hash = $3`. The function must set the password
   * and do nothing else, because Keystile may call it twice for one link: if the process is killed
   * after the write, the link still works. In the second call, `replaces` is the hash that the
   * first call has written.
   *
   * @param options.replaces the hash that `passwordHash()` returned for this user
   */
  setPassword?(
    user: U,
    hash: string,
    options: { readonly replaces: string },
  ): boolean | Promise<boolean>
  /**
   * Whether this user must log in with a second factor, where the others may: `secondFactor` must
   * be `optional`. A user who has none sets it up within the login. Called at each login. Default:
   * false.
   */
  needsFactor?(user: U): boolean
}

export const directoryFunctions = {
  required: ['findByLogin', 'findBySubject', 'active', 'scopes', 'passwordHash'],
  optional: ['subject', 'savePasswordHash', 'username', 'email', 'setPassword', 'needsFactor'],
} as const

/** A directory that also returns the values that only Keystile's own accounts have. */
export type AccountDirectory<U> = UserDirectory<U> &
  Partial<Pick<Directory<U>, 'emailVerified' | 'passwordSession' | 'rights'>>

// decisions/0014-one-user-directory.md
/**
 * A directory with checked results: Keystile's own accounts or an app's users. Logins, guards and
 * `keystile.sessions` read users only through it.
 */
export interface Directory<U> {
  /** Whether guards keep users in memory. */
  readonly isCached: boolean
  findByLogin(login: string): Promise<U | undefined>
  /** Returns the user with this subject; undefined if the user is missing or not active. */
  findActive(subject: string): Promise<U | undefined>
  subject(user: U): string
  active(user: U): boolean
  /** Returns all scopes that the user holds, in the order of their declaration. */
  scopes(user: U): readonly string[]
  /** Returns a hash that `Passwords` can verify; undefined for a user who cannot log in. */
  passwordHash(user: U): string | undefined
  /**
   * Returns the stored hash, even one that `Passwords` cannot verify; undefined for a user without
   * a password.
   */
  storedHash(user: U): string | undefined
  /** Returns the user name, which a new password must not contain; undefined if it is unknown. */
  username(user: U): string | undefined
  /** Returns the address for mails to the user. Undefined if the user has no valid address. */
  email(user: U): string | undefined
  /**
   * Whether a person has proved that they read the mails to this address. For a user of the app:
   * whether `emailVerified` of the user is `true`, as for a guard with `verified`.
   */
  emailVerified(user: U): boolean
  /** Whether this user must have a second factor, where others may. */
  needsFactor(user: U): boolean
  /** Returns the session that set the user's password; undefined if that is unknown. */
  passwordSession(user: U): string | undefined
  /**
   * Returns the stored rights of the account. A session starts only if the rights have not changed
   * since they were read. Undefined for an app's users.
   */
  rights(user: U): StoredRights | undefined
  /**
   * Stores a new hash of the same password. Undefined if the app's directory has no
   * `savePasswordHash()`.
   */
  readonly savePasswordHash: ((user: U, hash: string) => Promise<void>) | undefined
  /**
   * Stores the hash of a new password in the app's table, if the stored hash still equals
   * `replaces`. Returns whether it has stored the hash. Undefined if the app's directory has no
   * `setPassword()`.
   */
  readonly setPassword:
    | ((user: U, hash: string, options: { readonly replaces: string }) => Promise<boolean>)
    | undefined
}

/** How an authenticator app names the account of a user. */
export function labelOf<U>(
  user: U,
  { subject, username, email }: Pick<Directory<U>, 'subject' | 'username' | 'email'>,
): string {
  return username(user) ?? email(user) ?? subject(user)
}
