// The rows of proofs as both databases store them. Times are integers in milliseconds.

/**
 * A link and a code in a mail, which prove that a person can read the mailbox. The row is deleted
 * when the proof is spent.
 */
export interface MailProofRow {
  /** The hash of the request id, which only the caller who asked for the mail has. */
  readonly id: string
  /** What the proof allows, such as `password_reset`. It allows nothing else. */
  readonly purpose: string
  /** The user that the proof is bound to. Null if it is unbound: then it proves nothing. */
  readonly subject: string | null
  /** The mailbox that the proof is bound to: an address in the form for comparing mailboxes. */
  readonly mailbox: string | null
  /**
   * What the mail of the proof was counted for, such as a known device: see `CountedAddressee`.
   * Null if it was counted for the mailbox.
   */
  readonly allowance: string | null
  /** The hash of the token in the link. */
  readonly token_hash: string
  /** The hash of the request id and the code; null if the mail has only a link. */
  readonly code_hash: string | null
  /**
   * The key under which tries of the code are counted. Until the proof is bound to a subject, it is
   * a hash of what the caller typed. From then on, it is the subject.
   */
  readonly counted_for: string
  /** The number of wrong codes. */
  readonly tries: number
  /** The encrypted request while it is unresolved; later encrypted data of the purpose, or null. */
  readonly sealed: string | null
  readonly created_at: number
  readonly expires_at: number
  /** The time at which the resolver looked up the account. Null if it has not done so yet. */
  readonly resolved_at: number | null
  /**
   * The end of the claim: until then, no other confirmation can use the proof, because the app
   * stores the change. Null if there is no claim. Used only for an app's own users.
   */
  readonly claimed_until: number | null
}

/** The table of proofs. */
export interface MailProofTables {
  readonly mail_proof: MailProofRow
}
