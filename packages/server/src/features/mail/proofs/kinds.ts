import { minuteMilliseconds } from '../../../feature/limit-rate.ts'

/** A kind of links, and of codes, in mails. */
export interface ProofKind {
  /** The name of the purpose, and of the template of the mail. */
  readonly purpose: string
  /** The last part of the address of the page that the link opens. */
  readonly page: string
  readonly lifetimeHours: number
}

type KindName =
  | 'passwordReset'
  | 'verification'
  | 'registration'
  | 'invitation'
  | 'emailChange'
  | 'emailUndo'
  | 'factorUndo'

/** All kinds. The purposes stay the same, because databases contain them. */
export const proofKinds: Readonly<Record<KindName, ProofKind>> = {
  /** Sets a new password. A changed password makes these links and codes invalid. */
  passwordReset: { purpose: 'password_reset', page: 'reset-password', lifetimeHours: 3 },
  verification: { purpose: 'email_verification', page: 'verify-email', lifetimeHours: 24 },
  registration: { purpose: 'registration', page: 'finish-registration', lifetimeHours: 24 },
  invitation: { purpose: 'invitation', page: 'accept-invitation', lifetimeHours: 7 * 24 },
  emailChange: { purpose: 'email_change', page: 'confirm-email-change', lifetimeHours: 24 },
  /** Restores the old address. Unlike the others, it is stored with the former address. */
  emailUndo: { purpose: 'email_changed', page: 'undo-email-change', lifetimeHours: 7 * 24 },
  /** Undoes the first second factor. A restore of a backup keeps these links. */
  factorUndo: { purpose: 'first_factor_added', page: 'undo-factor', lifetimeHours: 7 * 24 },
}

/** Returns when a link or a code that is made now expires, in milliseconds. */
export function expiryOf({ lifetimeHours }: ProofKind, now: number): number {
  return now + lifetimeHours * 60 * minuteMilliseconds
}
