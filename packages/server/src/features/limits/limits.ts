import { createHash } from 'node:crypto'
import { ProblemError, type Clock, type Logger } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import { openDevices, type Device } from '../known-devices/devices.ts'
import { networkOf } from '../../base/network.ts'
import { createRefusedKeys } from './refused-keys.ts'
import { giveBack, readVerdict, spend } from './store.ts'
import type { LimitRate, Spent, Use } from './uses.ts'

const seconds = 1000
const minutes = 60 * seconds

type RateName = 'login' | 'address' | 'device' | 'proof' | 'email' | 'profile' | 'registration' | 'client'

/** What is limited, and how. A burst and a day of intervals is what there can be in any 24 hours. */
export const rates: Readonly<Record<RateName, LimitRate>> = {
  /** Logins from unknown devices, by what was typed as the name: 50 a day. Our accounts have two names, so 100 an account. */
  login: { burst: 10, intervalMilliseconds: 36 * minutes },
  /** Logins from unknown devices at an address, whoever they are for: an office may be behind it. */
  address: { burst: 100, intervalMilliseconds: 30 * seconds, isGivenBackWhole: true },
  /** Logins with one device secret: 100 a day, for it can be stolen. */
  device: { burst: 10, intervalMilliseconds: 16 * minutes },
  /** The current password, which a change asks for, by session: 100 a day. */
  proof: { burst: 10, intervalMilliseconds: 16 * minutes },
  /** E-mail addresses that a person asks for: whether one is taken, they are told. */
  email: { burst: 10, intervalMilliseconds: 16 * minutes },
  /** Changes of a profile by its owner. Each leaves a line in the audit record, and up to 64 KiB for the database to write. */
  profile: { burst: 60, intervalMilliseconds: 1 * minutes },
  /** Registrations at an address. */
  registration: { burst: 50, intervalMilliseconds: 2 * minutes },
  /** Refusals of clients at an address that are written down. A secret of 256 bits cannot be guessed; a disk can be filled. */
  client: { burst: 20, intervalMilliseconds: 1 * minutes },
}

/** What was counted before it was tried. */
export interface Counted {
  /** For the transaction of what it led to, which gives them back as it is written. */
  readonly spent: Spent
  /** It was no guess after all. Never fails: what cannot be given back comes back with time. */
  giveBack(): Promise<void>
}

/** A login as it arrives. */
export interface LoginAttempt {
  /** What was typed as the name, in the form in which two that mean one person are alike. */
  readonly login: string
  readonly address: string | undefined
  readonly deviceSecret: string | undefined
  /** How long its count may wait for others to share a commit with. */
  readonly patienceMilliseconds?: number
  /** Whether a device is one of whoever logs in with this name. Only asked about devices that we know. */
  isOwn(device: Device): Promise<boolean>
}

/**
 * Counts what somebody could guess with, before it is tried, so that of many at once no more get through. The counts lie in
 * the database and are those of all instances.
 *
 * All methods but `countTokenRefusal` throw `ProblemError` with `too_many_requests`, and all throw
 * `DatabaseUnavailableError` while nobody can count.
 */
export interface Limits {
  /**
   * A login from a known device of the account is counted for that device alone. Any other is counted for the name, whether it
   * is anybody's or not, and for the address.
   */
  countLogin(attempt: LoginAttempt): Promise<Counted>
  /** A try to prove the current password in a session. */
  countProof(sessionId: string): Promise<Counted>
  /** A new e-mail address that somebody asks for who has proved the password. */
  countEmail(subject: string): Promise<void>
  /** A change of a profile by its owner. */
  countProfile(subject: string): Promise<void>
  countRegistration(address: string | undefined): Promise<void>
  /** A client that is refused, whether there is one of that name or not. */
  countClientRefusal(address: string | undefined): Promise<void>
  /**
   * A client that is refused because it showed a token of another client; counted as the refusals above. The answer must
   * not depend on it, or it would tell that the token exists.
   *
   * @returns whether to write it down
   */
  countTokenRefusal(address: string | undefined): Promise<boolean>
  /** What a device gets after a login, to be shown at the next; `undefined` where nothing is limited. */
  makeDeviceSecret(login: {
    readonly subject: string
    readonly passwordMark: string
    readonly sessionId: string
  }): string | undefined
}

export async function openLimits(
  database: Database,
  options: {
    readonly clock: Clock
    readonly logger: Logger
    /** Whether an address is somebody's, and not that of a proxy which stands for everybody. */
    isLimited(address: string): boolean
  },
): Promise<Limits> {
  const { clock, logger, isLimited } = options
  const refused = createRefusedKeys()
  const devices = await openDevices(database, clock)

  /** @returns milliseconds to wait, or what was counted */
  async function tryCount(uses: readonly Use[], patienceMilliseconds?: number): Promise<number | Counted> {
    const values = { uses, now: clock.now() }
    const keys = uses.map(({ key }) => key)
    const known = keys.some((key) => refused.has(key)) ? await readVerdict(database.reader, values) : undefined
    const verdict = known && known.wait > 0 ? known : await database.write(spend, values, patienceMilliseconds)
    refused.remember(keys, verdict.refused)
    return verdict.wait > 0 ? verdict.wait : countedAs({ uses, at: values.now })
  }

  const countedAs = (spent: Spent): Counted => ({
    spent,
    giveBack: () =>
      database
        .write(giveBack, { spent, now: clock.now() })
        .catch((error: unknown) => logger.debug({ err: error }, 'what was counted could not be given back')),
  })

  async function count(uses: readonly Use[], patienceMilliseconds?: number): Promise<Counted> {
    const counted = await tryCount(uses, patienceMilliseconds)
    if (typeof counted === 'object') return counted
    throw new ProblemError('too_many_requests', 'Too many tries: wait before the next', {
      retryAfterSeconds: Math.ceil(counted / seconds),
    })
  }

  const usesAt = (name: RateName, address: string | undefined): readonly Use[] =>
    address !== undefined && isLimited(address) ? [useOf(name, networkOf(address))] : []

  const refusalAt = (address = ''): Use => useOf('client', networkOf(address))

  return {
    async countLogin({ login, address, deviceSecret, patienceMilliseconds, isOwn }) {
      const device = devices.open(deviceSecret)
      // Before anybody is looked for, so that a device of one's own is no way to ask quickly for others.
      const ofDevice = device && (await tryCount([useOf('device', device.id)], patienceMilliseconds))
      if (device && typeof ofDevice === 'object' && (await isOwn(device))) return ofDevice
      const { spent } = await count([useOf('login', login), ...usesAt('address', address)], patienceMilliseconds)
      const usesOfDevice = typeof ofDevice === 'object' ? ofDevice.spent.uses : []
      return countedAs({ ...spent, uses: [...spent.uses, ...usesOfDevice] })
    },
    countProof: (sessionId) => count([useOf('proof', sessionId)]),
    async countEmail(subject) {
      await count([useOf('email', subject)])
    },
    async countRegistration(address) {
      const uses = usesAt('registration', address)
      if (uses.length > 0) await count(uses)
    },
    async countProfile(subject) {
      await count([useOf('profile', subject)])
    },
    async countClientRefusal(address) {
      await count([refusalAt(address)])
    },
    countTokenRefusal: async (address) => typeof (await tryCount([refusalAt(address)])) === 'object',
    makeDeviceSecret: devices.make,
  }
}

/** For those who limit in front of Keystile. */
export const noLimits: Limits = {
  countLogin: async () => uncounted,
  countProof: async () => uncounted,
  countEmail: async () => {},
  countProfile: async () => {},
  countRegistration: async () => {},
  countClientRefusal: async () => {},
  countTokenRefusal: async () => true,
  makeDeviceSecret: () => undefined,
}

const uncounted: Counted = { spent: { uses: [], at: 0 }, giveBack: async () => {} }

/** Neither a name nor an address is stored: a name may be a password, typed into the field above. */
function useOf(name: RateName, whom: string): Use {
  return { key: createHash('sha256').update(`${name}\n${whom}`).digest('base64url'), rate: rates[name] }
}
