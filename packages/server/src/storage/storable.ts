/**
 * Whether every database keeps these texts unchanged. PostgreSQL refuses a query with U+0000, and
 * drivers replace a lone surrogate by U+FFFD. So the server checks texts that can be anything: the
 * claims of a token, logins and subjects for a directory, and ids for `keystile.sessions`. Texts
 * with a fixed alphabet (user names, ids in paths, client ids, refresh tokens) need no check.
 */
export function areStorable(...texts: readonly (string | undefined)[]): boolean {
  return texts.every((text = '') => text.isWellFormed() && !text.includes('\0'))
}
