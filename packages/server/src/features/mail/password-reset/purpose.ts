import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { Devices } from '../../sign-in/known-devices/devices.ts'
import type { ProofKind } from '../proofs/new-proof.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { passwordReset } from '../proofs/purposes.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { PasswordStore } from './new-password.ts'

export const resetKind: ProofKind = {
  purpose: passwordReset,
  lifetimeMilliseconds: 15 * minuteMilliseconds,
  hasCode: true,
}

export function resetLink(pagesUrl: string, token: string): string {
  return `${pagesUrl}/reset-password?token=${token}`
}

export type ResetRequest = {
  /** The user name or e-mail address, as the person typed it. */
  readonly login: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
  /** The device secret of the request, or empty. */
  readonly deviceSecret: string
}

export interface ResetPurposeParts<U> {
  readonly directory: Directory<U>
  readonly store: Pick<PasswordStore, 'bind'>
  readonly devices: Pick<Devices, 'open'>
  /** Where the links in mails lead. */
  readonly pagesUrl: string
}

/**
 * Creates the `ProofPurpose` of requests for a new password. Only an active user with an address
 * and a password gets a mail: a user without a password logs in by other means, and access to the
 * mailbox must not be enough to add a password. If a known device of the user requests the mail,
 * and the address of the user is verified, the mail has limits of its own. So an attacker who has
 * already caused too many mails to the mailbox cannot prevent this mail.
 */
export function createResetPurpose<U>({
  directory,
  store,
  devices,
  pagesUrl,
}: ResetPurposeParts<U>): ProofPurpose {
  return {
    ...resetKind,
    bind: store.bind,
    async resolve(request, { token, code, expiresAt }) {
      const { login = '', language = '', deviceSecret = '' } = request
      const user = await directory.findByLogin(login)
      if (user === undefined || !directory.active(user)) return undefined

      const [recipient, hash] = [directory.email(user), directory.storedHash(user)]
      const mailbox = mailboxOf(recipient)
      if (recipient === undefined || mailbox === undefined || hash === undefined) return undefined

      const subject = directory.subject(user)
      const device = devices.open(deviceSecret)
      const holder = {
        subject,
        passwordMark: passwordMark(hash),
        passwordSession: directory.passwordSession(user),
      }
      const isKnown = directory.emailVerified(user) && device?.isOf(holder) === true
      const link = resetLink(pagesUrl, token)
      return {
        subject,
        mailbox,
        recipient,
        template: 'password_reset',
        parameters: { link, code, expires_at: expiresAt.toISOString(), language },
        device: isKnown ? device.id : undefined,
      }
    },
  }
}
