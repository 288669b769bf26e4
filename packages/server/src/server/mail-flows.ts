// What users do with a link or a code in a mail. This needs the settings for mail, and users that
// Keystile stores.
import { confirmPageRoutes } from '../features/account-pages/confirm-pages.ts'
import { resetPageRoutes } from '../features/account-pages/reset-pages.ts'
import { registerRoute } from '../features/accounts/registration.ts'
import type { User } from '../features/accounts/users.ts'
import { createVerificationPurpose } from '../features/email-verification/purpose.ts'
import { verificationRoutes } from '../features/email-verification/routes.ts'
import { createVerifications } from '../features/email-verification/verifications.ts'
import type { Devices } from '../features/known-devices/devices.ts'
import type { Limits } from '../features/limits/limits.ts'
import { hasMail } from '../features/mail/mail.ts'
import type { Notices } from '../features/mail/notices.ts'
import { createMailProofs, type MailProofs } from '../features/mail-proofs/proofs.ts'
import type { PasswordPolicy } from '../features/password-policy/policy.ts'
import { createPasswordResets } from '../features/password-reset/password-resets.ts'
import { createResetPurpose } from '../features/password-reset/purpose.ts'
import { passwordResetRoutes } from '../features/password-reset/routes.ts'
import { createRegistrationPurpose } from '../features/pending-registration/purpose.ts'
import { createRegistrations } from '../features/pending-registration/registrations.ts'
import { pendingRegistrationRoute } from '../features/pending-registration/routes.ts'
import type { Seal } from '../base/seal.ts'
import type { OpenRoute } from '../http/route.ts'
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

/** What the flows add to the accounts. */
interface MailFlows extends Pick<People<User>, 'routes' | 'mailPurposes'> {
  /** `POST /users`, which depends on whether addresses are verified. */
  readonly register: OpenRoute
}

/** Makes the routes of the flows, and the purposes of their links and codes. */
export function wireMailFlows(parts: MailFlowParts): MailFlows {
  const { options, accounts, mailSeal: seal } = parts
  const { clock } = options
  if (!hasMail(options))
    return { register: registerRoute(registrationOf(parts)), routes: [], mailPurposes: [] }

  const proofs = createMailProofs(accounts.database, { seal, clock })
  const resets = wireResets(parts, proofs)
  const verification = wireVerification(parts, proofs)
  return {
    register: verification.register,
    routes: [...resets.routes, ...verification.routes],
    mailPurposes: [...resets.mailPurposes, ...verification.mailPurposes],
  }
}

function wireResets(
  { options, accounts: { database, users, passwords }, ...parts }: MailFlowParts,
  proofs: MailProofs,
): Omit<MailFlows, 'register'> {
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

function wireVerification(parts: MailFlowParts, proofs: MailProofs): MailFlows {
  const { options, accounts, passwordPolicy, limits } = parts
  const { emailVerification, issuer, accountPagesUrl, mailLanguage, profile, clock } = options
  const registration = registrationOf(parts)
  if (emailVerification === 'off')
    return { register: registerRoute(registration), routes: [], mailPurposes: [] }

  const { database, users } = accounts
  const registrations = createRegistrations({ database, proofs, passwordPolicy, clock })
  const verifications = createVerifications({ ...accounts, proofs, registrations, limits, clock })
  const pages = accountPagesUrl ? [] : confirmPageRoutes({ verifications, issuer, mailLanguage })
  const pagesUrl = pagesUrlOf(options)
  return {
    register:
      emailVerification === 'required'
        ? pendingRegistrationRoute({ ...registration, registrations })
        : registerRoute({ ...registration, verification: verifications.prepare }),
    routes: [...verificationRoutes({ issuer, verifications, profile }), ...pages],
    // Both settings answer the mails that were sent under the other one.
    mailPurposes: [
      createVerificationPurpose({ users, pagesUrl }),
      createRegistrationPurpose({ users, pagesUrl }),
    ],
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

function pagesUrlOf({ accountPagesUrl, issuer }: CheckedOptions): string {
  return (accountPagesUrl ?? `${issuer}/account`).replace(/\/+$/, '')
}
