// The device secret that a login gives its device.
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { StartedSession } from '../../tokens/sessions/sessions.ts'
import type { CountedLogin } from './attempt.ts'
import type { MethodParts } from './methods/method.ts'

interface StartedLogin<U> {
  readonly session: StartedSession
  readonly subject: string
  readonly user: U
  readonly provesApp: boolean
  /** The mark of the password; undefined if this login has not proved it. */
  readonly provedMark: string | undefined
  readonly counted: Partial<CountedLogin> | undefined
  /** See `Device.rememberedId`. Undefined for a login elsewhere than at the pages. */
  readonly rememberedSecret: string | undefined
}

/**
 * Makes the device secret of a new session. Returns undefined after a step-up without a password on
 * an unknown device, and if no device needs to be known (`knowsDevices` of server/wire/parts.ts).
 */
export function makeDeviceSecret<U>(
  login: StartedLogin<U>,
  { devices, directory }: Pick<MethodParts<U>, 'devices' | 'directory'>,
): string | undefined {
  const { session, subject, user, provesApp, provedMark, counted, rememberedSecret } = login
  const isKnown = counted?.deviceId !== undefined
  const mark = provedMark ?? (isKnown ? currentMark(user, directory) : undefined)
  if (mark === undefined) return undefined

  return devices.make({
    subject,
    passwordMark: mark,
    sessionId: session.sessionId,
    // Only a proof renews a limit. Otherwise a thief with the app could guess the password, and a
    // thief with the password the code.
    id: provedMark === undefined ? counted?.deviceId : undefined,
    appId: provesApp ? undefined : counted?.appId,
    appSince: session.appSince,
    secret: rememberedSecret,
  })
}

/**
 * Returns the mark of the password in a step-up without it. The new session needs a new device
 * secret: a password that the user sets in this session keeps only that device known.
 */
function currentMark<U>(user: U, directory: MethodParts<U>['directory']): string | undefined {
  const hash = directory.passwordHash(user)
  return hash && passwordMark(hash)
}
