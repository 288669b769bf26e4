import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { UserFinder } from '../../users/accounts/users.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { ProofKind } from '../proofs/new-proof.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { emailVerification } from '../proofs/purposes.ts'
import { bindVerification } from './store.ts'

/** The link and the code in a mail. Each of them verifies the address of an account. */
export const verificationKind: ProofKind = {
  purpose: emailVerification,
  lifetimeMilliseconds: 24 * 60 * minuteMilliseconds,
  hasCode: true,
}

export type VerificationRequest = {
  readonly email: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
}

export interface VerificationPurposeParts {
  readonly users: Pick<UserFinder, 'findByLogin'>
  /** Where the links in mails lead. */
  readonly pagesUrl: string
}

/**
 * Creates the `ProofPurpose` of requests to verify an address. The mail goes to the account that
 * has the address at the time when the mail is stored. The proof is bound to this account.
 */
export function createVerificationPurpose({
  users,
  pagesUrl,
}: VerificationPurposeParts): ProofPurpose {
  return {
    ...verificationKind,
    bind: bindVerification,
    async resolve(request, { token, code, expiresAt }) {
      const { email = '', language = '' } = request
      const user = await users.findByLogin(email)
      const recipient = user?.publicUser.email
      const mailbox = mailboxOf(recipient)
      if (!user?.active || recipient == null || mailbox === undefined) return undefined

      const link = `${pagesUrl}/verify-email?token=${token}`
      return {
        subject: user.publicUser.id,
        mailbox,
        recipient,
        template: 'email_verification',
        parameters: { link, code, expires_at: expiresAt.toISOString(), language },
      }
    },
  }
}
