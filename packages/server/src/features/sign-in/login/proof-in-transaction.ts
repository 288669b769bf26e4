import type { Transaction } from '../../../storage/database.ts'
import type { LockedAccount } from '../../users/accounts/in-transaction.ts'

/** A proof, in the transaction that ends the login. */
export interface ProofInTransaction {
  readonly transaction: Transaction
  readonly mark: string
  readonly subject: string
  /** Undefined for an app's own user. */
  readonly account: LockedAccount | undefined
  readonly now: number
}
