// Device secrets. A device that has logged in before can log in even when attackers have exhausted
// the rate limit of the user name.
import { createHash } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'
import { makeSecret } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import { claimDeviceKey } from './store.ts'

/** A device from which a user has logged in. */
export interface Device {
  /**
   * The id of the session that the login started. Each login gets a new secret, so a thief with an
   * older secret counts as another device.
   */
  readonly id: string
  /**
   * Whether the user logged in on this device with this password, or set the password in the
   * session of this device.
   */
  isOf(holder: Holder): boolean
}

/** The user whom a device secret is compared with. */
export interface Holder {
  readonly subject: string
  /** The result of `passwordMark`, which stays the same when the hash of a password is renewed. */
  readonly passwordMark: string | undefined
  /** The session in which the user set the password; undefined if another person set it. */
  readonly passwordSession?: string | undefined
}

/**
 * Issues and opens device secrets. A device keeps its secret after a login and sends it with the
 * next login. No table stores the secrets: each contains an encrypted fingerprint of its user. A
 * new password invalidates all older secrets, except the secret of the session in which the
 * password was set.
 */
export interface Devices {
  /**
   * Returns the device of a secret. Returns undefined if the secret is missing, expired or
   * encrypted with another key. Does NOT check whether the user still has an account.
   */
  open(secret: string | undefined): Device | undefined
  /** Returns a secret for the device of a login; undefined if rate limits are off. */
  make(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
  }): string | undefined
}

/** How long a secret is valid: as long as browsers keep a cookie (RFC 6265bis §5.5). */
export const deviceSeconds: number = 400 * 24 * 60 * 60

/** Creates the devices of a database. All processes that use the database share one key. */
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
        // Compares the session as well, because the device of a user who changes the password
        // during an attack must stay known.
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
