import { minuteMilliseconds } from '../../feature/limit-rate.ts'
import type { UserFinder } from '../accounts/users.ts'
import { mailboxOf } from '../directory/names.ts'
import type { Devices } from '../known-devices/devices.ts'
import type { ProofKind } from '../mail-proofs/new-proof.ts'
import type { ProofPurpose } from '../mail-proofs/purpose.ts'
import { passwordReset } from '../mail-proofs/purposes.ts'
import { passwordMark } from '../password/stored-hash.ts'
import { bindReset } from './store.ts'

/** A link or a code that allows a new password. */
export const resetKind: ProofKind = {
  purpose: passwordReset,
  lifetimeMilliseconds: 15 * minuteMilliseconds,
  hasCode: true,
}

/** Returns the link to the page that sets a new password. */
export function resetLink(pagesUrl: string, token: string): string {
  return `${pagesUrl}/reset-password?token=${token}`
}

/** The values of a request for a new password. */
export type ResetRequest = {
  /** The user name or e-mail address, as the person typed it. */
  readonly login: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
  /** The device secret of the request, or empty. */
  readonly deviceSecret: string
}

/** The services that resolve a request for a new password. */
export interface ResetPurposeParts {
  readonly users: Pick<UserFinder, 'findByLogin'>
  readonly devices: Pick<Devices, 'open'>
  /** Where the links in mails lead. */
  readonly pagesUrl: string
}

/**
 * Creates the purpose of requests for a new password. Only an active user with an address gets a
 * mail. A mail that a device of the user requests has limits of its own, so an attacker who has
 * already caused too many mails to the mailbox cannot prevent it.
 */
export function createResetPurpose({ users, devices, pagesUrl }: ResetPurposeParts): ProofPurpose {
  return {
    ...resetKind,
    bind: bindReset,
    async resolve(request, { token, code = '', expiresAt }) {
      const { login = '', language = '', deviceSecret = '' } = request
      const user = await users.findByLogin(login)
      const recipient = user?.publicUser.email
      const mailbox = mailboxOf(recipient)
      if (!user?.active || recipient == null || mailbox === undefined) return undefined

      const subject = user.publicUser.id
      const device = devices.open(deviceSecret === '' ? undefined : deviceSecret)
      const isOwn = device?.isOf({
        subject,
        passwordMark: passwordMark(user.passwordHash),
        passwordSession: user.passwordSession,
      })
      const link = resetLink(pagesUrl, token)
      return {
        subject,
        mailbox,
        recipient,
        template: 'password_reset',
        parameters: { link, code, expires_at: expiresAt.toISOString(), language },
        allowance: isOwn ? device?.id : undefined,
      }
    },
  }
}
