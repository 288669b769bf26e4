const maxScopeLength = 4096

/**
 * Reads a scope value: tokens between spaces, each once, in their order.
 *
 * @returns `undefined` when it holds a character that no scope may have, or is longer than 4,096
 *   characters
 * @see RFC 6749 §3.3
 */
export function parseScope(scope: string): readonly string[] | undefined {
  if (scope.length > maxScopeLength || /[^\x20\x21\x23-\x5b\x5d-\x7e]/.test(scope)) return undefined
  return [...new Set(scope.split(' '))].filter((name) => name !== '')
}

/** Whether a name can stand in a scope value. */
export function isScopeName(name: string): boolean {
  const scopes = parseScope(name)
  return scopes?.length === 1 && scopes[0] === name
}
