// The rows of proofs as both databases store them. Times are integers in milliseconds.

/**
 * A link and a code in a mail, which prove that a person can read the mailbox. The row is deleted
 * when the proof is spent.
 */
export interface MailProofRow {
  /**
   * The hash of the request id. Only the caller who asked for the mail has the request id itself.
   */
  readonly id: string
  readonly purpose: string
  /**
   * The user that the proof is bound to. Null if it is not bound. An unbound proof proves nothing.
   */
  readonly subject: string | null
  /**
   * The address of the mailbox that the proof is bound to, in the form that `mailboxOf()` returns.
   * Null if the proof is not bound.
   */
  readonly mailbox: string | null
  /**
   * The id of the known device that asked for the mail: see `Resolution.device`. Null if no known
   * device did, or if the proof was never bound to a user.
   */
  readonly allowance: string | null
  readonly token_hash: string
  /** The hash of the request id and the code together; null if the mail has only a link. */
  readonly code_hash: string | null
  /**
   * The key under which tries of the code are counted, besides the mailbox. At first, it is a hash
   * of what the caller typed. When the proof is bound, the subject replaces this hash, but not if
   * `Resolution.keepsCount` is true.
   */
  readonly counted_for: string
  /** The number of wrong codes. */
  readonly tries: number
  /**
   * Encrypted. Before the request is resolved: the values of the request. Afterwards: the data that
   * the purpose stored with the proof, or null if there is no data.
   */
  readonly sealed: string | null
  readonly created_at: number
  readonly expires_at: number
  /** The time at which the resolver looked up the account. Null if it has not done so yet. */
  readonly resolved_at: number | null
  /**
   * Until this time, no other confirmation can use the proof, because the app is storing the
   * change. Null if no confirmation has claimed the proof. Used only for an app's own users.
   */
  readonly claimed_until: number | null
}

export interface MailProofTables {
  readonly mail_proof: MailProofRow
}
