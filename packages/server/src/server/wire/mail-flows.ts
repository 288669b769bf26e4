// What users do with a link or a code in a mail. An app's own users can only set a new password. If
// Keystile sends no mails, users register and change their address without a confirmation.
import type { UserObject } from 'keystile'
import { changePageRoutes } from '../../features/pages/account-pages/change-pages.ts'
import { confirmPageRoutes } from '../../features/pages/account-pages/confirm-pages.ts'
import { resetPageRoutes } from '../../features/pages/account-pages/reset-pages.ts'
import type { AppInvitations } from '../../features/users/accounts/app-users.ts'
import { describeProfile } from '../../features/users/accounts/profile.ts'
import { registerRoute } from '../../features/users/accounts/registration.ts'
import type { User } from '../../features/users/accounts/users.ts'
import type { Directory } from '../../features/users/directory/directory.ts'
import { createEmailChanges } from '../../features/mail/email-change/email-changes.ts'
import { createEmailChangePurpose } from '../../features/mail/email-change/purpose.ts'
import { emailChangeRoutes } from '../../features/mail/email-change/routes.ts'
import { createVerificationPurpose } from '../../features/mail/email-verification/purpose.ts'
import { verificationRoutes } from '../../features/mail/email-verification/routes.ts'
import { createVerifications } from '../../features/mail/email-verification/verifications.ts'
import { createInvitations } from '../../features/mail/invitations/invitations.ts'
import { invitationRoute } from '../../features/mail/invitations/routes.ts'
import type { Devices } from '../../features/sign-in/known-devices/devices.ts'
import type { Limits } from '../../features/operations/limits/limits.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import type { Notices } from '../../features/mail/messages/notices.ts'
import { pagesUrlOf } from '../../features/mail/messages/pages-url.ts'
import { createMailProofs, type MailProofs } from '../../features/mail/proofs/proofs.ts'
import type { PasswordPolicy } from '../../features/credentials/password-policy/policy.ts'
import { createPasswordResets } from '../../features/mail/password-reset/password-resets.ts'
import { accountPasswords } from '../../features/mail/password-reset/in-accounts.ts'
import { directoryPasswords } from '../../features/mail/password-reset/in-directory.ts'
import type { PasswordStore } from '../../features/mail/password-reset/new-password.ts'
import { createResetPurpose } from '../../features/mail/password-reset/purpose.ts'
import { passwordResetRoutes } from '../../features/mail/password-reset/routes.ts'
import { createRegistrationPurpose } from '../../features/mail/pending-registration/purpose.ts'
import { createRegistrations } from '../../features/mail/pending-registration/registrations.ts'
import { pendingRegistrationRoute } from '../../features/mail/pending-registration/routes.ts'
import type { ScopeRules } from '../../features/users/scopes/scopes.ts'
import type { Seal } from '../../base/seal.ts'
import type { OpenRoute } from '../../http/route.ts'
import type { Accounts } from './stores.ts'
import type { CheckedOptions } from '../options.ts'
import type { MailFlows } from './people.ts'

export interface MailFlowParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly limits: Limits
  readonly devices: Devices
  readonly notices: Notices
  readonly mailSeal: () => Seal
}

interface AccountFlows extends MailFlows<User> {
  /** The endpoint `POST /users`. If addresses must be verified, it creates no account yet. */
  readonly register: OpenRoute
  /** Undefined if Keystile sends no mails. */
  readonly invitations: AppInvitations | undefined
}

/**
 * Makes the mail flows of Keystile's own accounts: the routes that send and accept links and codes
 * in mails, and the purposes of these links. The flows are registration, new passwords,
 * verification, address changes and invitations.
 */
export function wireMailFlows(parts: MailFlowParts, directory: Directory<User>): AccountFlows {
  const { options, accounts, limits, mailSeal: seal } = parts
  if (!hasMail(options)) {
    const changing = { ...accounts, limits, changes: undefined, verifiesAddresses: false }
    return {
      register: registerRoute(registrationOf(parts)),
      routes: emailChangeRoutes(changing),
      mailPurposes: [],
      invitations: undefined,
    }
  }

  const { users, database } = accounts
  const proofs = createMailProofs(database, { seal, clock: options.clock })
  const store = accountPasswords(database, { users, clock: options.clock })
  const resets = wireResets(parts, { directory, store, proofs })
  const verification = wireVerification(parts, proofs)
  const changes = wireChanges(parts, proofs)
  return {
    register: verification.register,
    routes: [...changes.routes, ...resets.routes, ...verification.routes],
    mailPurposes: [resets, verification, changes].flatMap(({ mailPurposes }) => mailPurposes),
    invitations: changes.invitations,
  }
}

const noFlows = { routes: [], mailPurposes: [] }

/**
 * Makes the routes that let an app's own users set a new password by mail, and the `ProofPurpose`
 * of these mails. Makes neither if the app has no `users.setPassword`, or if Keystile sends no
 * mails.
 */
export function wireAppFlows(
  parts: MailFlowParts,
  directory: Directory<UserObject>,
): MailFlows<UserObject> {
  const { options, accounts, mailSeal: seal } = parts
  const { logger, clock } = options
  if (!hasMail(options)) return noFlows

  const { setPassword } = directory
  if (!setPassword) {
    logger.info({}, 'there is no POST /password-resets, because users has no setPassword')
    return noFlows
  }
  const { database, feed } = accounts
  const proofs = createMailProofs(database, { seal, clock })
  const writable = { ...directory, setPassword }
  const store = directoryPasswords({ database, feed, directory: writable, clock })
  return wireResets(parts, { directory, store, proofs })
}

interface ResetParts<U> {
  readonly directory: Directory<U>
  readonly store: PasswordStore
  readonly proofs: MailProofs
}

/**
 * Makes the routes that let users set a new password by mail, and the `ProofPurpose` of these
 * mails. The users are those of Keystile's accounts or those of the app.
 */
function wireResets<U>(
  { options, accounts: { passwords }, ...parts }: MailFlowParts,
  people: ResetParts<U>,
): MailFlows<U> {
  const { issuer, accountPagesUrl, mailLanguage, corsOrigins } = options
  const { passwordPolicy, devices } = parts
  const resets = createPasswordResets({ ...parts, ...people, passwords })
  const pages = accountPagesUrl
    ? []
    : resetPageRoutes({ resets, passwordPolicy, issuer, mailLanguage, corsOrigins })
  return {
    routes: [...passwordResetRoutes({ resets, passwordPolicy }), ...pages],
    mailPurposes: [createResetPurpose({ ...people, devices, pagesUrl: pagesUrlOf(options) })],
  }
}

function wireVerification(
  parts: MailFlowParts,
  proofs: MailProofs,
): MailFlows<User> & Pick<AccountFlows, 'register'> {
  const { options, accounts, passwordPolicy, limits } = parts
  const { emailVerification, issuer, accountPagesUrl, profile, clock } = options
  const registration = registrationOf(parts)
  if (emailVerification === 'off')
    return { register: registerRoute(registration), routes: [], mailPurposes: [] }

  const { database, users } = accounts
  const registrations = createRegistrations({ database, proofs, passwordPolicy, clock })
  const verifications = createVerifications({ ...accounts, proofs, registrations, limits, clock })
  const pages = accountPagesUrl ? [] : confirmPageRoutes({ ...options, verifications })
  const pagesUrl = pagesUrlOf(options)
  return {
    register:
      emailVerification === 'required'
        ? pendingRegistrationRoute({ ...registration, registrations })
        : registerRoute({ ...registration, verification: verifications.prepare }),
    routes: [...verificationRoutes({ issuer, verifications, profile }), ...pages],
    // Both purposes exist with either setting, because mails that were sent under the other setting
    // must still work.
    mailPurposes: [
      createVerificationPurpose({ users, pagesUrl }),
      createRegistrationPurpose({ users, pagesUrl }),
    ],
  }
}

/**
 * Makes the routes for address changes and invitations, the `ProofPurpose` of the mails for address
 * changes, and the service that invites people.
 */
function wireChanges(
  { options, accounts, mailSeal: seal, ...parts }: MailFlowParts,
  proofs: MailProofs,
): MailFlows<User> & Pick<AccountFlows, 'invitations'> {
  const { issuer, accountPagesUrl, mailLanguage, corsOrigins, profile, clock } = options
  const { passwordPolicy, limits, notices } = parts
  const verifiesAddresses = options.emailVerification !== 'off'
  const pagesUrl = pagesUrlOf(options)
  const shared = { ...accounts, proofs, limits, notices, seal, pagesUrl, clock }
  const changes = createEmailChanges(shared)
  const invitations = createInvitations({ ...parts, ...shared, profile })
  const pages = {
    changes,
    invitations,
    passwordPolicy,
    profile: describeProfile(profile, 'input'),
    issuer,
    mailLanguage,
    corsOrigins,
  }
  return {
    routes: [
      ...emailChangeRoutes({ ...accounts, limits, changes, verifiesAddresses }),
      invitationRoute({ issuer, invitations, passwordPolicy, profile }),
      ...(accountPagesUrl ? [] : changePageRoutes(pages)),
    ],
    mailPurposes: [createEmailChangePurpose({ users: accounts.users, pagesUrl })],
    invitations,
  }
}

function registrationOf({
  options: { issuer, registration, profile },
  accounts: { users, passwords },
  passwordPolicy,
  limits,
}: MailFlowParts): Parameters<typeof registerRoute>[0] {
  return {
    issuer,
    users,
    passwords,
    passwordPolicy,
    limits,
    registration,
    profile,
    verification: undefined,
  }
}
