import { createHash } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import { createSeal } from '../../base/seal.ts'
import { makeSecret } from '../../base/secret.ts'
import type { Database } from '../../storage/database.ts'
import { claimDeviceKey } from './store.ts'

/** A device from which a person has logged in. */
export interface Device {
  /** The session that the login has started. So one that stole an older secret is another device. */
  readonly id: string
  /** Whether it was this person, with this password or in the session in which they set it. */
  isOf(holder: Holder): boolean
}

/** A person, as devices know them. */
export interface Holder {
  readonly subject: string
  /** The same for hashes of one password, and another for those of another (`passwordMark`). */
  readonly passwordMark: string | undefined
  /** The session in which they set the password, where they did. */
  readonly passwordSession?: string | undefined
}

/**
 * Secrets that devices keep after a login and show at the next. They lie in no table: a secret says, sealed, whose it is.
 * Another password makes all older ones void, but for that of the session in which it was set.
 */
export interface Devices {
  /** @returns `undefined` for what we did not make, or too long ago. Does NOT say whether the person is still there. */
  open(secret: string | undefined): Device | undefined
  /** @returns `undefined` where there are no rate limits */
  make(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
  }): string | undefined
}

export const deviceSeconds: number = 400 * 24 * 60 * 60 // as long as a browser keeps a cookie (RFC 6265bis §5.5)

/** Opens the devices of a database, whose processes share one key. */
export async function openDevices(database: Pick<Database, 'write'>, clock: Clock): Promise<Devices> {
  return createDevices(await database.write(claimDeviceKey, makeSecret()), clock)
}

/** For a server without rate limits, where a known device would get nothing. */
export const noDevices: Devices = { open: () => undefined, make: () => undefined }

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
        isOf: ({ subject, passwordMark, passwordSession }) =>
          fingerprint === fingerprintOf(subject, passwordMark) || id === passwordSession,
      }
    },
    make({ subject, passwordMark, sessionId }) {
      const content = [sessionId, clock.now() + deviceSeconds * 1000, fingerprintOf(subject, passwordMark)]
      return seal.seal(JSON.stringify(content), '')
    },
  }
}

function fingerprintOf(subject: string, passwordMark: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, passwordMark]))
    .digest('base64url')
}
