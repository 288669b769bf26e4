// What the flow of `reset.ts` does for its endpoints and its pages. The types are apart, because
// the endpoints in `routes.ts` need them, and `reset.ts` lists the endpoints.
import type { By } from '../../operations/audit/entry.ts'
import type { Presented } from '../proofs/proofs.ts'

/** What the endpoints and the pages of the flow do. */
export interface PasswordResets {
  /**
   * Stores a request. The mail is sent later. Does NOT look up the account: the work and the result
   * are the same if `login` belongs to no user.
   *
   * @returns the id of the request. The caller must send it together with the code of the mail
   * @throws {ProblemError} `too_many_requests`
   */
  request(wanted: WantedReset, address: string | undefined): Promise<string>
  /**
   * Sets the new password and ends all sessions of the user. A refused password does not use up the
   * link or the code.
   *
   * @returns a device secret: with it, a login with the new password counts for the device, because
   *   strangers may have used up the limit of the name. It does not replace the code of an app.
   *   Undefined if no device needs to be known
   * @throws {ProblemError} one of these:
   *   - `forbidden` (without the reason) if the link or the code is not valid
   *   - `unprocessable_content` if the password rules refuse the password
   *   - `too_many_requests`, `temporarily_unavailable`
   */
  confirm(presented: Presented, newPassword: string, by: By): Promise<string | undefined>
  /** Whether the token of a link can still set a new password. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export interface WantedReset {
  /** The user name or e-mail address, as the person typed it. */
  readonly login: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
  /** The device secret of the caller. Requests of known devices have own limits. */
  readonly deviceSecret: string | undefined
}
