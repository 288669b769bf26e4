// What the transactions that change a second factor share, whatever the factor. Each locks the
// account first, then checks, then stores the mail about the change, and then changes: a change
// without its mail does not happen.
import type { Transaction } from '../../../storage/database.ts'
import {
  lacksFactor,
  type FactorName,
} from '../../credentials/second-factors/factors-in-transaction.ts'
import { insertMailOrWait } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { AuditEntry, By } from '../../operations/audit/entry.ts'
import { hasSessionEnded } from '../../tokens/sessions/in-transaction.ts'
import { lockPerson } from '../../users/accounts/lock-in-transaction.ts'

/** A change of the factors of a user, and the mail about it. */
export interface FactorChange {
  readonly subject: string
  /** False for an app's own users. */
  readonly hasAccount: boolean
  readonly notice: NewMail | undefined
  /**
   * The address that this process knows, which another one may just have changed. A Keystile
   * account gets its mail at the stored address.
   */
  readonly noticeTo: { readonly email: string | undefined; readonly isVerified: boolean }
  /** The name with which an app's own user logs in. */
  readonly appUsername?: string | undefined
  readonly by: By
  readonly now: number
}

/** Why nothing was changed: the account or factor is gone, or the mailbox got too many mails. */
export type Refused =
  | { readonly outcome: 'gone' }
  | {
      readonly outcome: 'too-many-mails'
      /** The milliseconds until there is room for the mail. */
      readonly wait: number
    }

/** Where the mail about a change goes; `recipient` is undefined for a user without an address. */
export interface Addressee {
  readonly subject: string
  /** The user name of an account. Undefined for an app's own user. */
  readonly username: string | undefined
  readonly recipient: string | undefined
  /** The address of an account, in the form in which mailboxes are compared. */
  readonly mailbox: string | null
  readonly isVerified: boolean
  readonly share: 'factor'
  readonly now: number
}

/**
 * Locks the user. Returns undefined if the account is not active, or if the caller may not change
 * it any more: the session has ended, or lacks the factor that the account has by now.
 */
export async function lockAddressee(
  transaction: Transaction,
  change: FactorChange,
): Promise<Addressee | undefined> {
  const { subject, hasAccount, noticeTo, appUsername, now } = change
  const person = await lockPerson(transaction, { subject, rights: undefined, hasAccount })
  if (!person || (await hasSessionEnded(transaction, change))) return undefined
  if (await lacksFactor(transaction, change)) return undefined
  const { account } = person
  const email = account ? (account.email ?? undefined) : noticeTo.email
  const isVerified = account ? account.email_verified_at !== null : noticeTo.isVerified
  const mailbox = account?.email_key ?? null
  const username = account ? account.username : appUsername
  return { subject, username, recipient: email, mailbox, isVerified, share: 'factor', now }
}

/** Stores the mail about a change, if there is one. Refuses if the mailbox has no room for it. */
export async function sendNotice(
  transaction: Transaction,
  addressee: Addressee,
  { notice }: Pick<FactorChange, 'notice'>,
): Promise<Refused | undefined> {
  const { recipient } = addressee
  if (!notice || recipient === undefined) return undefined
  const wait = await insertMailOrWait(transaction, notice, { ...addressee, recipient })
  return wait > 0 ? { outcome: 'too-many-mails', wait } : undefined
}

/**
 * Returns the audit entry of a change, without its event.
 *
 * @param factor which factor is added or removed
 */
export function entryOf(
  { subject, by, now }: FactorChange,
  factor?: FactorName,
): Omit<AuditEntry, 'event'> {
  return { at: now, by, subject, ...(factor && { detail: { factor } }) }
}
