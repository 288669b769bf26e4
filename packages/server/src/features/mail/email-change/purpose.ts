import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { UserFinder } from '../../users/accounts/users.ts'
import { mailboxOf, parseEmail } from '../../users/directory/names.ts'
import type { ProofKind } from '../proofs/new-proof.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { emailChange } from '../proofs/purposes.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import { bindEmailChange } from './store.ts'

/** The link and the code in the mail to a new address. Each of them confirms the address. */
export const emailChangeKind: ProofKind = {
  purpose: emailChange,
  lifetimeMilliseconds: 24 * 60 * minuteMilliseconds,
  hasCode: true,
}

export type EmailChangeRequest = ChangedAccount & {
  readonly subject: string
  /** The new address. */
  readonly email: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
}

/**
 * The account as it was at the request. If the account has changed since, the link and the code do
 * not work.
 */
export type ChangedAccount = {
  /** The old address in the form in which mailboxes are compared, or empty. */
  readonly from: string
  /**
   * The `passwordMark()` of the password that the account had at the request. A new password gives
   * a new mark.
   */
  readonly mark: string
}

/** Returns the part of an account that must stay as it is until the confirmation. */
export function changedAccountOf({
  publicUser,
  passwordHash,
}: {
  readonly publicUser: { readonly email: string | null }
  readonly passwordHash: string
}): ChangedAccount {
  return { from: mailboxOf(publicUser.email) ?? '', mark: passwordMark(passwordHash) }
}

export interface EmailChangePurposeParts {
  readonly users: Pick<UserFinder, 'readBySubject' | 'findByLogin' | 'isTaken'>
  /** Where the links in mails lead. */
  readonly pagesUrl: string
}

/**
 * Creates the `ProofPurpose` of requests for a new address. If another user has the address, the
 * mail goes to that user instead. This mail says that the address is taken, and has no link and no
 * code. In both cases, wrong codes are counted, and older requests are evicted. So the user who
 * asked cannot find out whether the address is taken.
 */
export function createEmailChangePurpose({
  users,
  pagesUrl,
}: EmailChangePurposeParts): ProofPurpose {
  return {
    ...emailChangeKind,
    bind: bindEmailChange,
    async resolve(request, { token, code, expiresAt }) {
      const { subject = '', email: typed = '', from = '', mark = '', language = '' } = request
      const user = await users.readBySubject(subject)
      const email = parseEmail(typed)
      if (!user?.active || !email) return undefined

      const shared = { subject, mailbox: email.key, data: { email: email.shown, from, mark } }
      if (await users.isTaken(email, subject)) {
        const holder = await users.findByLogin(email.shown)
        const recipient = holder?.publicUser.email ?? email.shown
        return { ...shared, recipient, template: 'email_taken', parameters: {} }
      }

      const link = `${pagesUrl}/confirm-email-change?token=${token}`
      return {
        ...shared,
        recipient: email.shown,
        template: 'email_change',
        parameters: { link, code, expires_at: expiresAt.toISOString(), language },
      }
    },
  }
}
