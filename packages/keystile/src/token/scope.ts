// The `scope` parameter and claim (RFC 6749 §3.3).

/**
 * The maximum length of a scope string. It limits the work that a sender can cause. Real scope
 * strings have a few hundred characters.
 */
const maxScopeLength = 4096

/**
 * Splits a scope string into the names between its spaces. Returns each name once, in the order of
 * the string.
 *
 * @returns `undefined` if the string has a forbidden character, or more than 4,096 characters
 * @see RFC 6749 §3.3
 */
export function parseScope(scope: string): readonly string[] | undefined {
  if (scope.length > maxScopeLength || /[^\x20\x21\x23-\x5b\x5d-\x7e]/.test(scope)) return undefined
  return [...new Set(scope.split(' '))].filter((name) => name !== '')
}

export function isScopeName(name: string): boolean {
  const scopes = parseScope(name)
  return scopes?.length === 1 && scopes[0] === name
}
