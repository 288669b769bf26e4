/** Takes seconds. Each step doubles the work. */
const maxCost = 16
/** bcrypt ignores all further bytes. */
const maxBytes = 72

/**
 * Whether a stored value is a bcrypt hash that is not too costly to verify. `$2x$` is refused: it
 * marks hashes of a library with a bug.
 */
export function isHash(stored: string): boolean {
  const match =
    /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/.exec(stored) // no stray bits at the ends
  const cost = Number(match?.[1])
  return cost >= 4 && cost <= maxCost
}

/**
 * Whether a password belongs to a hash. bcrypt compares its first 72 bytes. A password with a NUL
 * byte never belongs: to bcrypt, "a" and "a\0a" are one key. Slow on purpose: call it in a hash
 * thread only, which loads the library at its first bcrypt hash.
 *
 * @throws {Error} when the prebuilt library does not load on this machine
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const { verifySync } = await import('@node-rs/bcrypt')
  const matches = verifySync(password, stored)
  return matches && !password.includes(0)
}

/** Whether the password is longer than the part that the hash covers. */
export function isCutShort(password: Uint8Array, stored: string): boolean {
  return isHash(stored) && password.length > maxBytes
}
