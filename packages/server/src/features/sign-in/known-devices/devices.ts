// Device secrets. A device that has logged in before, or has set the password with a mail, can log
// in even when attackers have exhausted the rate limit of the user name.
import { createHash } from 'node:crypto'
import type { Clock } from 'keystile/internal'
import { createSeal } from '../../../base/seal.ts'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import { claimDeviceKey } from './store.ts'

export interface Device {
  /**
   * Wrong passwords from the device count for this id: the session of the login in which it last
   * proved the password. Each such login gives the device a new secret with a new id, so an
   * attacker with an older secret counts as a different device.
   */
  readonly id: string
  /** Wrong codes count for this id: the session of the login in which it last proved the app. */
  readonly appId: string
  /**
   * A hash of the user who logged in. All devices of one account have the same hash, also after the
   * password has changed. Does NOT prove that the account still exists or that the device is known.
   */
  readonly account: string
  /**
   * When the authenticator app was set up with which the device logged in; undefined if it logged
   * in with the password alone. Such a device is known for passwords, and not for codes.
   */
  readonly appSince: number | undefined
  /**
   * Where the device is found if it is remembered: the hash of a secret in the device secret. A new
   * device secret has a new one. Undefined if the device has logged in elsewhere than at the pages.
   */
  readonly rememberedId: string | undefined
  /**
   * Returns whether the user logged in on this device with the current password, or set it here: in
   * the session of this device, or with a mail.
   */
  isOf(holder: Holder): boolean
}

/** The user whom `isOf()` compares with the owner of a device secret. */
export interface Holder {
  readonly subject: string
  /**
   * The result of `passwordMark()`, which stays the same when an argon2id hash with a long enough
   * salt is renewed. Undefined for a user without a password.
   */
  readonly passwordMark: string | undefined
  /**
   * The session in which the user set the password. Undefined if the password was set in another
   * way, such as by a link in a mail.
   */
  readonly passwordSession?: string | undefined
}

/**
 * Issues and decrypts device secrets. A device keeps its secret after a login and sends it with the
 * next login. The database does not store the secrets: each secret contains an encrypted
 * fingerprint of the user and the password. A new password invalidates all older secrets, except
 * the secret of the session that set the password.
 */
export interface Devices {
  /**
   * Returns the device of a secret. Returns undefined if the secret is missing, expired or
   * encrypted with another key. Does NOT check whether the user still has an account.
   */
  open(secret: string | undefined): Device | undefined
  /**
   * Returns a new secret for the device that has just logged in, or has set a new password with a
   * mail. Returns undefined if a known device has no advantage: without rate limits, mails and
   * remembered devices.
   */
  make(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
    /** See `Device.id`. Undefined if this login has proved the password. */
    readonly id?: string | undefined
    /** See `Device.appId`. Undefined if this login has proved the app. */
    readonly appId?: string | undefined
    /** When the app was set up whose code the login had, or that a recovery code stood for. */
    readonly appSince?: number | undefined
    /** See `Device.rememberedId`. */
    readonly secret?: string | undefined
  }): string | undefined
}

/**
 * How long a device secret is valid: 400 days, the longest time that a browser keeps a cookie (RFC
 * 6265bis §5.5).
 */
export const deviceSeconds: number = 400 * 24 * 60 * 60

/**
 * Creates `Devices` with a key from the database. All processes that use the database share this
 * key.
 */
export async function openDevices(
  database: Pick<Database, 'write'>,
  clock: Clock,
): Promise<Devices> {
  return createDevices(await database.write(claimDeviceKey, makeSecret()), clock)
}

/** Issues no device secrets. For a server in which a known device has no advantage. */
export const noDevices: Devices = { open: () => undefined, make: () => undefined }

/**
 * Creates `Devices` with a key.
 *
 * @param key the secret that encrypts device secrets
 */
export function createDevices(key: string, clock: Clock): Devices {
  // decisions/0006-sealed-device-secrets.md
  const seal = createSeal(key, 'device secrets')
  return {
    open(secret) {
      if (secret === undefined) return undefined
      const text = seal.open(secret)
      if (text === undefined) return undefined

      const { sessionId, expiresAt, fingerprint, rememberedSecret, ...device } = readContent(text)
      if (expiresAt <= clock.now()) return undefined

      return {
        ...device,
        rememberedId: rememberedSecret ? hashSecret(rememberedSecret) : undefined,
        // Also compares the session: if a user changes the password during an attack, the user's
        // device must stay known.
        isOf: ({ subject, passwordMark, passwordSession }) =>
          fingerprint === fingerprintOf(subject, passwordMark) || sessionId === passwordSession,
      }
    },
    make({ subject, passwordMark, sessionId, id, appId, appSince, secret }) {
      const content: Content = [
        sessionId,
        clock.now() + deviceSeconds * 1000,
        fingerprintOf(subject, passwordMark),
        fingerprintOf(subject, undefined),
        appSince ?? null,
        secret ?? null,
        id ?? null,
        appId ?? null,
      ]
      return seal.seal(JSON.stringify(content))
    },
  }
}

/** What a device secret contains. Older secrets lack the last members. */
type Content = readonly [
  sessionId: string,
  expiresAt: number,
  fingerprint: string,
  account?: string,
  appSince?: number | null,
  rememberedSecret?: string | null,
  id?: string | null,
  appId?: string | null,
]

interface NamedContent extends Pick<Device, 'id' | 'appId' | 'account' | 'appSince'> {
  readonly sessionId: string
  readonly expiresAt: number
  readonly fingerprint: string
  readonly rememberedSecret: string | null | undefined
}

/** Names the members of a device secret, and gives older secrets those that they lack. */
function readContent(text: string): NamedContent {
  const [sessionId, expiresAt, fingerprint, account, appSince, rememberedSecret, id, appId] =
    JSON.parse(text) as Content
  return {
    sessionId,
    expiresAt,
    fingerprint,
    account: account ?? fingerprint,
    appSince: appSince ?? undefined,
    rememberedSecret,
    id: id ?? sessionId,
    appId: appId ?? sessionId,
  }
}

/**
 * Returns a hash of the user and the password mark. The device secret contains this hash instead of
 * the two values.
 */
function fingerprintOf(subject: string, passwordMark: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, passwordMark]))
    .digest('base64url')
}
