// bcrypt hashes of other systems, which a login verifies and then replaces with argon2id hashes.

/** The lowest cost of the format. */
const minCost = 4
/**
 * The highest cost that a stored hash may have. A hash of this cost takes seconds, and each further
 * step doubles the time.
 */
const maxCost = 16
/** The number of bytes of a password that bcrypt compares. bcrypt ignores all further bytes. */
const maxBytes = 72

/** The last characters of salt and hash have unused bits, which must be zero. */
const pattern = new RegExp(
  String.raw`^\$2[aby]\$(?<cost>\d\d)` +
    String.raw`\$(?<salt>[./A-Za-z0-9]{21}[.Oeu])(?<hash>[./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$`,
)

/**
 * Whether a stored value is a bcrypt hash that is not too costly to verify. Refuses `$2x$`, which
 * marks hashes of a library with a bug.
 */
export function isHash(stored: string): boolean {
  const cost = Number(pattern.exec(stored)?.groups?.['cost'])
  return cost >= minCost && cost <= maxCost
}

/**
 * Whether a password belongs to a hash. bcrypt compares only the first 72 bytes of the password. A
 * password with a NUL byte never matches, because bcrypt treats "a" and "a\0a" as the same
 * password. This function is slow on purpose: call it only in a hash thread. The thread loads the
 * library for its first bcrypt hash.
 *
 * @throws {Error} when the prebuilt library does not load on this machine
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const { verifySync } = await import('@node-rs/bcrypt')
  const matches = verifySync(password, stored)
  return matches && !password.includes(0)
}

/** Whether the stored hash is a bcrypt hash and the password has bytes that bcrypt ignores. */
export function isCutShort(password: Uint8Array, stored: string): boolean {
  return isHash(stored) && password.length > maxBytes
}
