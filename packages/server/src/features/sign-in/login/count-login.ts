import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { nameRate } from '../../users/directory/rates.ts'
import type { Device, Devices } from '../known-devices/devices.ts'
import { countedOn, type CountedLogin } from './attempt.ts'
import { addressRate, deviceRate } from './feature.ts'

/** A login whose password has not been verified yet. */
export interface ArrivingLogin {
  /**
   * The typed name as `countedLogin()` returns it, so that all spellings of a name share one count.
   */
  readonly name: string
  readonly address: string | undefined
  readonly deviceSecret: string | undefined
  /** How long the count may wait, so that it can share one database commit with other writes. */
  readonly patienceMilliseconds: number
  /**
   * Returns whether `device` belongs to the user who has the typed name. Called only if the device
   * secret is valid.
   */
  isOwn(device: Device): Promise<boolean>
}

// decisions/0005-count-logins-by-typed-name.md
/**
 * Counts a login before the password is verified. A login from a known device of the user counts
 * for that device only. So if an attacker exhausts the limit of a name, the owner of the name can
 * still log in. Any other login counts for the name and for the IP address. A name without a user
 * is counted in the same way, so that the limit does not reveal which names exist.
 *
 * @throws {ProblemError} `too_many_requests`
 * @throws {DatabaseUnavailableError} if the database cannot be written now
 */
export async function countLogin(
  { name, address, deviceSecret, patienceMilliseconds, isOwn }: ArrivingLogin,
  { limits, devices }: { readonly limits: Limits; readonly devices: Devices },
): Promise<CountedLogin> {
  const device = devices.open(deviceSecret)

  // Counts the login before `isOwn()` looks up the user. Otherwise a caller with a known device
  // could measure how long lookups of other names take, and so find out which users exist.
  const ofDevice =
    device && (await limits.tryCount([useOf(deviceRate, device.id)], patienceMilliseconds))
  if (device && ofDevice && (await isOwn(device)))
    return countedOn(device, { spent: ofDevice, patienceMilliseconds })

  // The use for a device that is not the user's stays counted, and is refunded with the others.
  const uses = [useOf(nameRate, name), ...limits.usesAt(addressRate, address)]
  const counted = await limits.count(uses, patienceMilliseconds)
  const spent = { ...counted, uses: [...counted.uses, ...(ofDevice?.uses ?? [])] }
  return countedOn(undefined, { spent, patienceMilliseconds })
}
