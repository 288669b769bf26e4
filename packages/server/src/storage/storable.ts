/**
 * Whether SQLite and PostgreSQL store these strings unchanged. PostgreSQL refuses a string with
 * U+0000. The drivers replace a lone surrogate with U+FFFD, so two different strings could become
 * equal.
 *
 * Check strings that can hold any character: claims of a token, logins and subjects for a
 * directory, and ids for `keystile.sessions`. Strings with a fixed alphabet (user names, ids in
 * paths, client ids, refresh tokens) need no check.
 */
export function areStorable(...texts: readonly (string | undefined)[]): boolean {
  // A loop, because guards check the names of each caller.
  for (const text of texts)
    if (text !== undefined && (!text.isWellFormed() || text.includes('\0'))) return false
  return true
}
