// What the flow of `verification.ts` does for its endpoints and its pages. The types are apart,
// because the endpoints in `routes.ts` need them, and `verification.ts` lists the endpoints.
import type { By } from '../../operations/audit/entry.ts'
import type { User } from '../../users/accounts/user.ts'
import type { ComparableName } from '../../users/directory/names.ts'
import type { PresentedRegistration } from '../pending-registration/registration.ts'
import type { PreparedRequest, Presented } from '../proofs/proofs.ts'

/** What the endpoints and the pages of the flow do. */
export interface Verifications {
  /**
   * Prepares the request for the mail to a new user. The transaction that creates the user stores
   * the request.
   *
   * @param language one of the languages of mails, or empty for the language of the settings
   */
  prepare(email: ComparableName, language: string): PreparedRequest
  /**
   * Stores a request for another mail to a user. The mail is sent after the answer.
   *
   * @returns the id of the request, which the user needs for the code
   * @throws {ProblemError} `conflict` if the user has no address or the address is already
   *   verified, `too_many_requests`
   */
  request(user: User, language: string): Promise<string>
  /**
   * Verifies the address of an account, or turns a registration into an account. Besides the link
   * or code, it requires the password or an access token of the account, because another person may
   * have registered with this address. The code of a registration is enough alone: only the person
   * who registered has the id of the registration.
   *
   * @returns the new user, if this was a registration
   * @throws {ProblemError} one of these. After an error with `errors`, the link or the code can be
   *   used again:
   *   - `forbidden` if the link or the code is not valid, or if the password and the token are
   *     missing; it does not say which
   *   - `forbidden` with `errors` if the password is wrong
   *   - `conflict` with `errors` if the name is taken
   *   - `unprocessable_content`, `too_many_requests`, `temporarily_unavailable`
   */
  confirm(confirmation: Confirmation, by: By): Promise<User | undefined>
  /** Whether the token of a link can still be confirmed. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

/**
 * What a person presents: the token of a link, or a code together with the id of its request or
 * registration.
 */
export type PresentedVerification = Presented | PresentedRegistration

/**
 * What a person sends to confirm: a link or a code, and the password or token that
 * `Verifications.confirm()` requires.
 */
export interface Confirmation {
  readonly presented: PresentedVerification
  /** The subject of the access token in the request; undefined if the request has no token. */
  readonly caller?: string | undefined
  /** The password of the account, or the password that the person chose at the registration. */
  readonly password?: string | undefined
  /**
   * A user name that replaces the name from the registration. It requires `password`, because the
   * password rules depend on the name.
   */
  readonly username?: ComparableName | undefined
}
