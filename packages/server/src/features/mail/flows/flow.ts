// What all flows by mail share. In a flow, a person does something with a link or a code from a
// mail, for example sets a new password. What their confirmations share is in `confirmation.ts`,
// and what their endpoints share in `endpoint-parts.ts`.
import type { Route } from '../../../http/route.ts'
import type { Database } from '../../../storage/database.ts'
import type { Devices } from '../../sign-in/known-devices/devices.ts'
import type { AccountCaller } from '../../users/accounts/account-route.ts'
import type { RegistrationFormParts } from '../../users/accounts/registration-form.ts'
import type { User } from '../../users/accounts/user.ts'
import type { Directory } from '../../users/directory/directory.ts'
import type { Notices } from '../messages/notices.ts'
import type { LinkMailParts } from '../proofs/new-proof.ts'
import type { MailProofs } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'

/** A flow by mail: one record, and one file that makes it. */
export interface MailFlow<C = AccountCaller> {
  /** Finds out to whom the mails of requests go. Undefined if no request waits for the resolver. */
  readonly purpose?: ProofPurpose
  readonly routes: readonly Route<C>[]
}

/**
 * What the flows are made from. Each of them uses only some parts.
 *
 * @typeParam U a user of the directory
 */
export interface FlowParts<U = User> extends RegistrationFormParts, LinkMailParts {
  readonly issuer: string
  readonly database: Pick<Database, 'reader' | 'write'>
  readonly directory: Directory<U>
  readonly devices: Pick<Devices, 'open' | 'make'>
  readonly proofs: MailProofs
  readonly notices: Notices
}
