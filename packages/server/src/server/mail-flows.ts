// What users do with a link or a code in a mail. This needs the settings for mail, and users that
// Keystile stores.
import { resetPageRoutes } from '../features/account-pages/reset-pages.ts'
import type { User } from '../features/accounts/users.ts'
import type { Devices } from '../features/known-devices/devices.ts'
import type { Limits } from '../features/limits/limits.ts'
import { hasMail } from '../features/mail/mail.ts'
import type { Notices } from '../features/mail/notices.ts'
import { createMailProofs } from '../features/mail-proofs/proofs.ts'
import type { PasswordPolicy } from '../features/password-policy/policy.ts'
import { createPasswordResets } from '../features/password-reset/password-resets.ts'
import { createResetPurpose } from '../features/password-reset/purpose.ts'
import { passwordResetRoutes } from '../features/password-reset/routes.ts'
import type { Seal } from '../base/seal.ts'
import type { Accounts } from './open-accounts.ts'
import type { CheckedOptions } from './options.ts'
import type { People } from './people.ts'

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

/** Makes the routes of the flows, and the purposes of their links and codes. */
export function wireMailFlows({
  options,
  accounts: { database, users, passwords },
  mailSeal: seal,
  ...parts
}: MailFlowParts): Pick<People<User>, 'routes' | 'mailPurposes'> {
  if (!hasMail(options)) return { routes: [], mailPurposes: [] }

  const { issuer, accountPagesUrl, mailLanguage, clock } = options
  const { passwordPolicy, devices } = parts
  const proofs = createMailProofs(database, { seal, clock })
  const resets = createPasswordResets({ ...parts, database, users, passwords, proofs, clock })
  const pages = accountPagesUrl
    ? []
    : resetPageRoutes({ resets, passwordPolicy, issuer, mailLanguage })
  const pagesUrl = (accountPagesUrl ?? `${issuer}/account`).replace(/\/+$/, '')
  return {
    routes: [...passwordResetRoutes({ resets, passwordPolicy }), ...pages],
    mailPurposes: [createResetPurpose({ users, devices, pagesUrl })],
  }
}
