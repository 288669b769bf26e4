import type { Transaction } from '../storage/database.ts'

/** A user who is being deleted. */
export interface DeletedUser {
  readonly subject: string
  /**
   * The user's address and former addresses, if verified: a stranger may have an address that is
   * not. In the form in which mailboxes are compared.
   */
  readonly mailboxes: readonly string[]
}

/**
 * What a feature stores about users. A store exports this record, and not the feature's record: on
 * SQLite, the writer thread runs these functions, and it loads only stores.
 */
export interface OfUser {
  /** Runs in the transaction that deletes a user. */
  erase?(transaction: Transaction, user: DeletedUser): Promise<void>
  /**
   * Deletes what must not work again after a restore, because it may have been used or sent since
   * the backup. Returns how many rows of each kind it deleted, such as `{ links_deleted: 3 }`.
   */
  restored?(transaction: Transaction): Promise<Readonly<Record<string, number>>>
}
