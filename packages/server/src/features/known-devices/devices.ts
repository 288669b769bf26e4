import { createHash } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'
import { makeSecret } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import { claimDeviceKey } from './store.ts'

/** A device from which a person has logged in. */
export interface Device {
  /** The id of the session that the login started. A thief of an older secret is another device. */
  readonly id: string
  /**
   * Whether the person logged in from it with this password, or set the password in its session.
   */
  isOf(holder: Holder): boolean
}

/** What a device secret remembers of a person. */
export interface Holder {
  readonly subject: string
  /** `passwordMark`: the same for all hashes of one password, another for another password. */
  readonly passwordMark: string | undefined
  /** The session in which the person set the password; undefined where it was set elsewhere. */
  readonly passwordSession?: string | undefined
}

/**
 * Secrets that devices keep after a login and send with the next. No table has them: a secret names
 * its person itself, sealed. A new password makes all older secrets void, except that of the
 * session in which it was set.
 */
export interface Devices {
  /**
   * Returns undefined for a secret that is expired or not from this server. Does NOT check whether
   * the person still has an account.
   */
  open(secret: string | undefined): Device | undefined
  /** @returns `undefined` where there are no rate limits */
  make(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
  }): string | undefined
}

/** As long as a browser keeps a cookie (RFC 6265bis §5.5). */
export const deviceSeconds: number = 400 * 24 * 60 * 60

/** Opens the devices of a database, whose processes share one key. */
export async function openDevices(
  database: Pick<Database, 'write'>,
  clock: Clock,
): Promise<Devices> {
  return createDevices(await database.write(claimDeviceKey, makeSecret()), clock)
}

/** For a server without rate limits, where a known device would get nothing. */
export const noDevices: Devices = { open: () => undefined, make: () => undefined }

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
        // The session counts too: an owner who changes the password during an attack stays known.
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

function fingerprintOf(subject: string, passwordMark: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, passwordMark]))
    .digest('base64url')
}
