// What the flow of `invitation.ts` does for its endpoint and its page. The type is apart, because
// the endpoint in `routes.ts` needs it, and `invitation.ts` lists the endpoint.
import type { JsonObject } from 'keystile/internal'
import type { By } from '../../operations/audit/entry.ts'
import type { Acceptance } from '../../users/accounts/acceptance.ts'
import type { AppInvitations } from '../../users/accounts/app-users.ts'
import type { User } from '../../users/accounts/user.ts'
import type { Presented } from '../proofs/proofs.ts'

/** What the app, the endpoint and the page of the flow do. */
export interface Invitations extends AppInvitations {
  /**
   * Creates the account of an invited person. The address of the account is verified. The account
   * gets those scopes and roles of the invitation that the app still declares. After an error, the
   * invitation stays valid.
   *
   * @param members the members of the body besides the link and the code
   * @throws {ProblemError} one of these:
   *   - `forbidden` (without the reason) if the link or the code is not valid
   *   - `conflict` if the name or the address is taken
   *   - `unprocessable_content`, `too_many_requests`, `temporarily_unavailable`
   */
  accept(presented: Presented, members: JsonObject, by: By, accepted?: Acceptance): Promise<User>
  /** Whether the token of a link can still be accepted. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}
