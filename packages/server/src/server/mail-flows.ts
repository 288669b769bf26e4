// What users do by a link or a code in a mail, if Keystile stores the users. Without mail, only an
// address can be changed, at once.
import { changePageRoutes } from '../features/account-pages/change-pages.ts'
import { resetPageRoutes } from '../features/account-pages/reset-pages.ts'
import type { AppUsers } from '../features/accounts/app-users.ts'
import type { User } from '../features/accounts/users.ts'
import { createEmailChanges } from '../features/email-change/email-changes.ts'
import { createEmailChangePurpose } from '../features/email-change/purpose.ts'
import { emailChangeRoutes } from '../features/email-change/routes.ts'
import { createInvitations } from '../features/invitations/invitations.ts'
import { invitationRoute } from '../features/invitations/routes.ts'
import type { Devices } from '../features/known-devices/devices.ts'
import type { Limits } from '../features/limits/limits.ts'
import { hasMail } from '../features/mail/mail.ts'
import type { Notices } from '../features/mail/notices.ts'
import { pagesUrlOf } from '../features/mail/pages-url.ts'
import { createMailProofs, type MailProofs } from '../features/mail-proofs/proofs.ts'
import type { PasswordPolicy } from '../features/password-policy/policy.ts'
import { createPasswordResets } from '../features/password-reset/password-resets.ts'
import { createResetPurpose } from '../features/password-reset/purpose.ts'
import { passwordResetRoutes } from '../features/password-reset/routes.ts'
import type { ScopeRules } from '../features/scopes/scopes.ts'
import type { Seal } from '../base/seal.ts'
import type { Accounts } from './open-accounts.ts'
import type { CheckedOptions } from './options.ts'
import type { People } from './people.ts'

/** The services that the flows use. */
export interface MailFlowParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly limits: Limits
  readonly devices: Devices
  readonly notices: Notices
  readonly mailSeal: () => Seal
  /** Whether a new address must be confirmed by a mail. */
  readonly verifiesAddresses: boolean
}

/** What the flows add to the accounts. */
interface MailFlows extends Pick<People<User>, 'routes' | 'mailPurposes'> {
  /** Invites a person. Undefined without mail. */
  readonly invite?: AppUsers['invite'] | undefined
}

/** Makes the routes of the flows, and the purposes of their links and codes. */
export function wireMailFlows(parts: MailFlowParts): MailFlows {
  const { options, accounts, mailSeal: seal, limits } = parts
  if (!hasMail(options)) {
    const changing = { ...accounts, limits, changes: undefined, verifiesAddresses: false }
    return { routes: emailChangeRoutes(changing), mailPurposes: [] }
  }

  const { clock } = options
  const proofs = createMailProofs(accounts.database, { seal, clock })
  const resets = wireResets(parts, proofs)
  const changes = wireChanges(parts, proofs)
  return {
    routes: [...resets.routes, ...changes.routes],
    mailPurposes: [...resets.mailPurposes, ...changes.mailPurposes],
    invite: changes.invite,
  }
}

function wireResets(
  { options, accounts: { database, users, passwords }, ...parts }: MailFlowParts,
  proofs: MailProofs,
): MailFlows {
  const { issuer, accountPagesUrl, mailLanguage, clock } = options
  const { passwordPolicy, devices } = parts
  const resets = createPasswordResets({ ...parts, database, users, passwords, proofs, clock })
  const pages = accountPagesUrl
    ? []
    : resetPageRoutes({ resets, passwordPolicy, issuer, mailLanguage })
  return {
    routes: [...passwordResetRoutes({ resets, passwordPolicy }), ...pages],
    mailPurposes: [createResetPurpose({ users, devices, pagesUrl: pagesUrlOf(options) })],
  }
}

/** Changes of addresses, and invitations. */
function wireChanges(
  { options, accounts, mailSeal: seal, ...parts }: MailFlowParts,
  proofs: MailProofs,
): MailFlows {
  const { issuer, accountPagesUrl, mailLanguage, profile, clock } = options
  const { passwordPolicy, limits, verifiesAddresses } = parts
  const pagesUrl = pagesUrlOf(options)
  const shared = { ...accounts, proofs, limits, seal, pagesUrl, clock }
  const changes = createEmailChanges(shared)
  const invitations = createInvitations({ ...parts, ...shared, profile })
  const pages = { changes, invitations, passwordPolicy, issuer, mailLanguage }
  return {
    routes: [
      ...emailChangeRoutes({ ...accounts, limits, changes, verifiesAddresses }),
      invitationRoute({ issuer, invitations, passwordPolicy, profile }),
      ...(accountPagesUrl ? [] : changePageRoutes(pages)),
    ],
    mailPurposes: [createEmailChangePurpose({ users: accounts.users, pagesUrl })],
    invite: invitations.invite,
  }
}
