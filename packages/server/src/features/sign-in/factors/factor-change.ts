// The change that the endpoints of all second factors write. `change-in-transaction.ts` is its part
// inside of a transaction.
import { ProblemError, type Clock } from 'keystile/internal'
import type { NoticeKind } from '../../mail/messages/message.ts'
import type { Notices } from '../../mail/messages/notices.ts'
import { factorMailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Directory } from '../../users/directory/directory.ts'
import type { FactorChange, Refused } from './change-in-transaction.ts'

export interface ChangeParts<U> {
  readonly directory: Directory<U>
  readonly hasAccounts: boolean
  readonly notices: Notices
  readonly clock: Clock
}

/** Returns what a change has, whatever the factor. */
export function changeOf<U>(
  { user, kind, by }: { readonly user: U; readonly kind: NoticeKind; readonly by: By },
  { directory, hasAccounts, notices, clock }: ChangeParts<U>,
): FactorChange {
  return {
    subject: directory.subject(user),
    hasAccount: hasAccounts,
    notice: notices(kind, by),
    noticeTo: { email: directory.email(user), isVerified: directory.emailVerified(user) },
    appUsername: directory.username(user),
    by,
    now: clock.now(),
  }
}

/**
 * @param gone makes the error if the user has no longer what the change is about
 * @throws {ProblemError} if nothing was changed
 */
export function requireChanged(
  done: Refused | { readonly outcome: 'confirmed' | 'removed' | 'renewed' },
  gone: () => ProblemError,
): void {
  if (done.outcome === 'gone') throw gone()
  if (done.outcome === 'too-many-mails') throw factorMailboxFull(done.wait)
}
