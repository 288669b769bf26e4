import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { UserFinder } from '../../users/accounts/users.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { ProofKind } from '../proofs/new-proof.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { registration } from '../proofs/purposes.ts'
import { bindRegistration } from './store.ts'

export const registrationKind: ProofKind = {
  purpose: registration,
  lifetimeMilliseconds: 24 * 60 * minuteMilliseconds,
  hasCode: true,
}

export type RegistrationRequest = {
  /** The subject that the account will have. */
  readonly subject: string
  readonly email: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
}

export interface RegistrationPurposeParts {
  readonly users: Pick<UserFinder, 'findByLogin'>
  /** Where the links in mails lead. */
  readonly pagesUrl: string
}

/**
 * Creates the `ProofPurpose` of registrations. The mail has a link and a code that finish the
 * registration. If an account already has the address, the mail only says that the account exists.
 * In both cases, wrong codes are counted for the address.
 */
export function createRegistrationPurpose({
  users,
  pagesUrl,
}: RegistrationPurposeParts): ProofPurpose {
  return {
    ...registrationKind,
    bind: bindRegistration,
    async resolve(request, { token, code, expiresAt }) {
      const { subject = '', email = '', language = '' } = request
      const mailbox = mailboxOf(email)
      if (mailbox === undefined) return undefined

      const holder = (await users.findByLogin(mailbox))?.publicUser
      if (holder?.email != null)
        return {
          subject: holder.id,
          mailbox,
          recipient: holder.email,
          template: 'already_registered',
          parameters: { language },
        }

      const link = `${pagesUrl}/finish-registration?token=${token}`
      return {
        subject,
        mailbox,
        recipient: email,
        template: 'registration',
        parameters: { link, code, expires_at: expiresAt.toISOString(), language },
        keepsCount: true,
      }
    },
  }
}
