// Reads single values that the functions of an app's directory return. TypeScript has checked their
// types, but an app may be in JavaScript. Each function throws a `TypeError` for a wrong value.
import { isUserObject } from 'keystile/internal'
import type { UserDirectory } from './directory.ts'

/**
 * Returns the user, or undefined if there is none. Throws an error for any other value, such as
 * `false`: an app that returns `row?.active && row` returns `false` for a disabled user.
 */
export function readUser<U>(
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
export function readText(
  name: 'username' | 'email' | 'passwordHash',
  text: unknown,
): string | undefined {
  if (text === undefined || text === null || text === '') return undefined
  if (typeof text !== 'string') throw wrong(name, 'a string, undefined or null', text)
  return text
}

export function readBoolean(
  name: 'active' | 'needsFactor' | 'setPassword',
  value: unknown,
): boolean {
  if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  return value
}

export function readScopes(value: unknown): readonly string[] {
  if (isStrings(value)) return value
  throw wrong('scopes', 'a list of strings', value)
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Returns the subject of a user: what `subject()` returns, or the `id` of the user. */
export function readSubject<U>(directory: Pick<UserDirectory<U>, 'subject'>, user: U): string {
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

/**
 * Returns the error for a bug in the app. The message does not contain the value, because the value
 * may be personal data.
 */
function wrong(name: keyof UserDirectory<unknown>, expected: string, value: unknown): TypeError {
  if (!(value instanceof Promise)) return new TypeError(`users.${name} must return ${expected}`)

  // Nothing awaits this promise. If it is rejected, Node must not end the process.
  value.catch(() => {})
  return new TypeError(`users.${name} must return ${expected}, not a promise`)
}
