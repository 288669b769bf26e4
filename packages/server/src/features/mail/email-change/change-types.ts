// What the flow of `change.ts` is made from, and what it does for its endpoints and its page. The
// types are apart, because the endpoints in `routes.ts` need them, and `change.ts` lists the
// endpoints.
import type { By } from '../../operations/audit/entry.ts'
import type { User } from '../../users/accounts/user.ts'
import type { ComparableName } from '../../users/directory/names.ts'
import type { FlowParts } from '../flows/flow.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { EmailUndo } from './undo.ts'

/** What the endpoints and the page of the flow do. */
export interface EmailChanges {
  /**
   * Stores a user's request to change to the address `email`. The mail to this address is sent
   * after the answer. Does NOT look up whether another user has the address.
   *
   * @param user the user, whose password was verified
   * @param language one of the languages of mails, or empty for the language of the settings
   * @returns the id of the request, which the user needs for the code
   */
  request(user: User, email: ComparableName, language: string): Promise<string>
  /**
   * Sets the user's address to the address that the mail was sent to, and marks it as verified. The
   * link or code alone is not enough to confirm: if the user mistypes the address, a stranger gets
   * the mail.
   *
   * @throws {ProblemError} one of these:
   *   - `forbidden` (without the reason) if the change is not allowed, for example because the code
   *     has expired or the password is wrong
   *   - `forbidden` with the reason `factor_missing` if the owner has a second factor and has not
   *     proved it
   *   - `too_many_requests`, `temporarily_unavailable`
   */
  confirm(presented: Presented, owner: Owner, by: By): Promise<void>
  /** Whether the token of a link can still confirm a change. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /** Returns the new address that the token of a link of this user confirms. Changes nothing. */
  addressOf(token: string, subject: string): Promise<string | undefined>
}

/**
 * What a person sends, besides the link or the code, to prove that they own the account: an access
 * token or the password.
 */
export interface Owner {
  /** The subject of the access token in the request; undefined if the request has no token. */
  readonly subject: string | undefined
  readonly password: string | undefined
}

export interface EmailChangeParts extends FlowParts {
  readonly undo: EmailUndo
  /**
   * Whether each new address must be confirmed by a mail. If false, only an address that replaces a
   * verified address, or that of an account with a factor: see `changeRoute()` in `routes.ts`.
   */
  readonly verifiesAddresses: boolean
  mustHaveFactor(user: User): boolean
}
