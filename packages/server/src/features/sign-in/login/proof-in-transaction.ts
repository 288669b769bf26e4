import type { Transaction } from '../../../storage/database.ts'
import type { LockedAccount } from '../../users/accounts/lock-in-transaction.ts'

/**
 * Whether the account still has what was proved. Only `held` lets the login go on. `mailWait`: the
 * mailbox has no room for the mail that must be sent; the milliseconds until there is room.
 */
export type Held = 'held' | 'changed' | { readonly mailWait: number }

/** A proof, in the transaction that ends the login. */
export interface ProofInTransaction {
  readonly transaction: Transaction
  readonly mark: string
  readonly subject: string
  /** Undefined for an app's own user. */
  readonly account: LockedAccount | undefined
  readonly now: number
}
