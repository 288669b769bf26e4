import { createHash } from 'node:crypto'
import { randomId, type Clock } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'

/** A device from which a person has logged in. */
export interface Device {
  readonly id: string
  /** Whether it was this person, with the password that this hash is of. */
  isOf(subject: string, passwordHash: string | undefined): boolean
}

/**
 * Secrets that devices keep after a login and show at the next. They lie in no table: a secret says, sealed, whose it is.
 * Another password makes all older ones void, and so does another hash of it.
 */
export interface Devices {
  /** @returns `undefined` for what we did not make, or too long ago. Does NOT say whether the person is still there. */
  open(secret: string | undefined): Device | undefined
  /** @param id of the device, where it is known already */
  make(device: { readonly id?: string | undefined; readonly subject: string; readonly passwordHash: string }): string
}

export const deviceSeconds: number = 400 * 24 * 60 * 60 // as long as a browser keeps a cookie (RFC 6265bis §5.5)

export function createDevices(key: string, clock: Clock): Devices {
  const seal = createSeal(key, 'device secrets')
  return {
    open(secret) {
      if (secret === undefined) return undefined
      const text = seal.open(secret, '')
      if (text === undefined) return undefined
      const [id, expiresAt, fingerprint] = JSON.parse(text) as readonly [string, number, string]
      if (expiresAt <= clock.now()) return undefined
      return {
        id,
        isOf: (subject, passwordHash) => fingerprint === fingerprintOf(subject, passwordHash),
      }
    },
    make({ id = randomId(), subject, passwordHash }) {
      const content = [id, clock.now() + deviceSeconds * 1000, fingerprintOf(subject, passwordHash)]
      return seal.seal(JSON.stringify(content), '')
    },
  }
}

function fingerprintOf(subject: string, passwordHash: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, passwordHash]))
    .digest('base64url')
}
