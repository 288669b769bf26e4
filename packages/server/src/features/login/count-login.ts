import type { Device, Devices } from '../known-devices/devices.ts'
import { useOf, type Limits } from '../limits/limits.ts'
import type { Spent } from '../limits/uses.ts'
import { addressRate, deviceRate, nameRate } from './feature.ts'

/** A login before anything of it is tried. */
export interface ArrivingLogin {
  /** The name in the form in which all spellings for one user are alike. */
  readonly name: string
  readonly address: string | undefined
  readonly deviceSecret: string | undefined
  /** How long the count may wait to share a commit with others. */
  readonly patienceMilliseconds: number
  /** Whether the device belongs to the user with this name. Only asked about known devices. */
  isOwn(device: Device): Promise<boolean>
}

// decisions/0005-count-logins-by-typed-name.md
/**
 * Counts a login. One from a known device of the account counts for that device alone. Any other
 * counts for the name, whether a user has it or not, and for the address.
 *
 * @throws {ProblemError} `too_many_requests`
 * @throws {DatabaseUnavailableError} when it cannot be counted now
 */
export async function countLogin(
  { name, address, deviceSecret, patienceMilliseconds, isOwn }: ArrivingLogin,
  { limits, devices }: { readonly limits: Limits; readonly devices: Devices },
): Promise<Spent> {
  const device = devices.open(deviceSecret)
  // Before the lookup, so that a caller cannot use an own device to time lookups of other users.
  const ofDevice =
    device && (await limits.tryCount([useOf(deviceRate, device.id)], patienceMilliseconds))
  if (device && ofDevice && (await isOwn(device))) return ofDevice

  const uses = [useOf(nameRate, name), ...limits.usesAt(addressRate, address)]
  const spent = await limits.count(uses, patienceMilliseconds)

  return { ...spent, uses: [...spent.uses, ...(ofDevice?.uses ?? [])] }
}
