/** Each step doubles the work: this one takes seconds. */
const maxCost = 16
/** bcrypt looks at no byte behind these. */
const maxBytes = 72

/** Whether a stored value is a bcrypt hash, of any library but the one with the bug of `$2x$`, and not too costly to verify. */
export function isHash(stored: string): boolean {
  const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/.exec(stored) // no stray bits at the ends
  const cost = Number(match?.[1])
  return cost >= 4 && cost <= maxCost
}

/**
 * Whether a password belongs to a hash: its first 72 bytes, as wherever the hash was made. A password with a NUL byte
 * never does: to bcrypt "a" and "a\0a" are one key. Slow on purpose: only ever called in a hash thread, which loads the
 * library at the first bcrypt hash that it meets.
 *
 * @throws {Error} when the prebuilt library does not load on this machine
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const { verifySync } = await import('@node-rs/bcrypt')
  const matches = verifySync(password, stored)
  return matches && !password.includes(0)
}

/** Whether a hash says nothing of how the password goes on. */
export function isCutShort(password: Uint8Array, stored: string): boolean {
  return isHash(stored) && password.length > maxBytes
}
