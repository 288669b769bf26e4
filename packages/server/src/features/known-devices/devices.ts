// Device secrets: a device that has logged in before is not stopped by the rate limit of the name.
import { createHash } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'
import { makeSecret } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import { claimDeviceKey } from './store.ts'

/** A device from which a user has logged in. */
export interface Device {
  /**
   * The id of the session that the login started. Each login has a new secret, so the thief of an
   * older one counts as another device.
   */
  readonly id: string
  /** Whether the user logged in here with this password, or set the password in this session. */
  isOf(holder: Holder): boolean
}

/** The user whom a device secret is compared with. */
export interface Holder {
  readonly subject: string
  /** As `passwordMark` returns it, the same for all hashes of one password. */
  readonly passwordMark: string | undefined
  /** The session in which the user set the password; undefined if another person set it. */
  readonly passwordSession?: string | undefined
}

/**
 * Issues and opens the secrets that devices keep after a login and send with the next. No table has
 * them: a secret contains a fingerprint of its user, encrypted. A new password invalidates all
 * older secrets, except the secret of the session in which it was set.
 */
export interface Devices {
  /**
   * Returns the device of a secret; undefined for a secret that is expired or from another server.
   * Does NOT check whether the user still has an account.
   */
  open(secret: string | undefined): Device | undefined
  /** Returns a secret for the device of a login; undefined if rate limits are off. */
  make(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
  }): string | undefined
}

/** A secret is valid as long as browsers keep a cookie (RFC 6265bis §5.5). */
export const deviceSeconds: number = 400 * 24 * 60 * 60

/** Creates the devices of a database. All processes that use it share one key. */
export async function openDevices(
  database: Pick<Database, 'write'>,
  clock: Clock,
): Promise<Devices> {
  return createDevices(await database.write(claimDeviceKey, makeSecret()), clock)
}

/** For a server without rate limits, where a known device has no advantage. */
export const noDevices: Devices = { open: () => undefined, make: () => undefined }

/** @param key the secret that device secrets are encrypted with */
export function createDevices(key: string, clock: Clock): Devices {
  // decisions/0006-sealed-device-secrets.md
  const seal = createSeal(key, 'device secrets')
  return {
    open(secret) {
      if (secret === undefined) return undefined
      const text = seal.open(secret)
      if (text === undefined) return undefined

      const [id, expiresAt, fingerprint] = JSON.parse(text) as readonly [string, number, string]
      if (expiresAt <= clock.now()) return undefined

      return {
        id,
        // The session as well: a user who changes the password during an attack must stay known.
        isOf: ({ subject, passwordMark, passwordSession }) =>
          fingerprint === fingerprintOf(subject, passwordMark) || id === passwordSession,
      }
    },
    make({ subject, passwordMark, sessionId }) {
      const content = [
        sessionId,
        clock.now() + deviceSeconds * 1000,
        fingerprintOf(subject, passwordMark),
      ]
      return seal.seal(JSON.stringify(content))
    },
  }
}

/** Hashes the user and the password mark, so that the secret itself does not contain them. */
function fingerprintOf(subject: string, passwordMark: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, passwordMark]))
    .digest('base64url')
}
