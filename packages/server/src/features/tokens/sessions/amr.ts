// How a person authenticated: the list in the claim `amr` (RFC 8176 §2).

/** Returns what the column `amr` has as a list; undefined if it is null. */
export function parseAmr(amr: string | null): readonly string[] | undefined {
  return amr === null ? undefined : (JSON.parse(amr) as readonly string[])
}

/**
 * Returns the claim `acr`: `mfa` after a login with two factors, `pwd` after any other login.
 */
export function acrOf(amr: readonly string[]): 'mfa' | 'pwd' {
  return amr.includes('mfa') ? 'mfa' : 'pwd'
}
