// What users do by a link or a code in a mail: only if mail is configured.
import type { UserObject } from 'keystile'
import { resetPageRoutes } from '../features/account-pages/reset-pages.ts'
import type { User } from '../features/accounts/users.ts'
import type { Directory } from '../features/directory/directory.ts'
import type { Devices } from '../features/known-devices/devices.ts'
import type { Limits } from '../features/limits/limits.ts'
import { hasMail } from '../features/mail/mail.ts'
import type { Notices } from '../features/mail/notices.ts'
import { createMailProofs } from '../features/mail-proofs/proofs.ts'
import type { PasswordPolicy } from '../features/password-policy/policy.ts'
import { createPasswordResets } from '../features/password-reset/password-resets.ts'
import { accountPasswords } from '../features/password-reset/in-accounts.ts'
import { directoryPasswords } from '../features/password-reset/in-directory.ts'
import type { PasswordStore } from '../features/password-reset/new-password.ts'
import { createResetPurpose } from '../features/password-reset/purpose.ts'
import { passwordResetRoutes } from '../features/password-reset/routes.ts'
import type { Seal } from '../base/seal.ts'
import type { Accounts } from './open-accounts.ts'
import type { CheckedOptions } from './options.ts'
import type { MailFlows } from './people.ts'

/** The services that the flows use. */
export interface MailFlowParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  readonly passwordPolicy: PasswordPolicy
  readonly limits: Limits
  readonly devices: Devices
  readonly notices: Notices
  readonly mailSeal: () => Seal
}

const noFlows = { routes: [], mailPurposes: [] }

/** Makes the routes of the flows of Keystile's own accounts, and the purposes of their links. */
export function wireMailFlows(parts: MailFlowParts, directory: Directory<User>): MailFlows<User> {
  const { options, accounts } = parts
  if (!hasMail(options)) return noFlows

  const { users, database } = accounts
  const store = accountPasswords(database, { users, clock: options.clock })
  return wireResets(parts, { directory, store })
}

/**
 * Makes the routes and the purposes of the flows of an app's own users. There are none if the app
 * gives no function that stores a new password.
 */
export function wireAppFlows(
  parts: MailFlowParts,
  directory: Directory<UserObject>,
): MailFlows<UserObject> {
  const { options, accounts } = parts
  if (!hasMail(options)) return noFlows

  const { setPassword } = directory
  if (!setPassword) {
    options.logger.info({}, 'there is no POST /password-resets, because users has no setPassword')
    return noFlows
  }
  const { database, feed } = accounts
  const writable = { ...directory, setPassword }
  const store = directoryPasswords({ database, feed, directory: writable, clock: options.clock })
  return wireResets(parts, { directory, store })
}

/** Makes what sets a new password by mail, for either kind of users. */
function wireResets<U>(
  { options, accounts: { database, passwords }, mailSeal: seal, ...parts }: MailFlowParts,
  people: { readonly directory: Directory<U>; readonly store: PasswordStore },
): MailFlows<U> {
  const { issuer, accountPagesUrl, mailLanguage, clock } = options
  const { passwordPolicy, devices } = parts
  const proofs = createMailProofs(database, { seal, clock })
  const resets = createPasswordResets({ ...parts, ...people, passwords, proofs })
  const pages = accountPagesUrl
    ? []
    : resetPageRoutes({ resets, passwordPolicy, issuer, mailLanguage })
  const pagesUrl = (accountPagesUrl ?? `${issuer}/account`).replace(/\/+$/, '')
  return {
    routes: [...passwordResetRoutes({ resets, passwordPolicy }), ...pages],
    mailPurposes: [createResetPurpose({ ...people, devices, pagesUrl })],
  }
}
