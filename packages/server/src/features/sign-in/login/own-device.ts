import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { Device } from '../known-devices/devices.ts'
import type { MethodParts } from './methods/method.ts'

/** Returns the device of a secret, if it is known as a device of this user. */
export function findOwnDevice<U>(
  user: U,
  secret: string | undefined,
  { devices, directory }: Pick<MethodParts<U>, 'devices' | 'directory'>,
): Device | undefined {
  const device = devices.open(secret)
  return device && isOwnDevice(device, user, directory) ? device : undefined
}

/** Whether a device is known as one of this user, with the current password. */
export function isOwnDevice<U>(
  device: Device,
  user: U,
  directory: MethodParts<U>['directory'],
): boolean {
  const hash = directory.passwordHash(user)
  return device.isOf({
    subject: directory.subject(user),
    passwordMark: hash && passwordMark(hash),
    passwordSession: directory.passwordSession(user),
  })
}
