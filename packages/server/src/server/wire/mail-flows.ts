// What users do with a link or a code in a mail. An app's own users can only set a new password. If
// Keystile sends no mails, users register and change their address without a confirmation.
import type { UserObject } from 'keystile'
import type { EmailChanges } from '../../features/mail/email-change/change-types.ts'
import { emailChangeFlow } from '../../features/mail/email-change/change.ts'
import { changeRoute } from '../../features/mail/email-change/routes.ts'
import { undoFlow, type EmailUndo } from '../../features/mail/email-change/undo.ts'
import type { Verifications } from '../../features/mail/email-verification/verification-types.ts'
import { verificationFlow } from '../../features/mail/email-verification/verification.ts'
import { factorUndoFlow, type FactorUndo } from '../../features/mail/factor-undo/undo.ts'
import type { MailFlow } from '../../features/mail/flows/flow.ts'
import type { Invitations } from '../../features/mail/invitations/invitation-types.ts'
import { invitationFlow } from '../../features/mail/invitations/invitation.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import { pagesUrlOf } from '../../features/mail/messages/pages-url.ts'
import {
  accountPasswords,
  directoryPasswords,
} from '../../features/mail/password-reset/new-password.ts'
import type { PasswordResets } from '../../features/mail/password-reset/reset-types.ts'
import { passwordResetFlow } from '../../features/mail/password-reset/reset.ts'
import { registrationFlow } from '../../features/mail/pending-registration/registration.ts'
import { createMailProofs } from '../../features/mail/proofs/proofs.ts'
import type { ProofPurpose } from '../../features/mail/proofs/purpose.ts'
import {
  finishPage,
  verificationPage,
} from '../../features/pages/account-pages/confirmation-page.ts'
import { emailChangePage } from '../../features/pages/account-pages/email-change-page.ts'
import { invitationPage } from '../../features/pages/account-pages/invitation-page.ts'
import { linkPageRoutes } from '../../features/pages/account-pages/link-page-routes.ts'
import { resetPageRoutes } from '../../features/pages/account-pages/reset-page.ts'
import { emailUndoPage, factorUndoPage } from '../../features/pages/account-pages/undo-page.ts'
import { createBrowserLogins } from '../../features/sign-in/browser-login/browser-logins.ts'
import { createPageCookies } from '../../features/sign-in/browser-login/page-cookies.ts'
import { mustHaveFactor } from '../../features/sign-in/login/policy.ts'
import type { AppInvitations } from '../../features/users/accounts/app-users.ts'
import { describeProfile } from '../../features/users/accounts/described-profile.ts'
import { createRegistration } from '../../features/users/accounts/registration.ts'
import type { User } from '../../features/users/accounts/user.ts'
import type { Directory } from '../../features/users/directory/directory.ts'
import type { OpenRoute } from '../../http/route.ts'
import type { Parts } from './parts.ts'
import type { MailFlows, People } from './people.ts'

interface AccountFlows extends MailFlows<User> {
  readonly registration: NonNullable<People<User>['registration']>
  /** Undefined if Keystile sends no mails. */
  readonly invitations: AppInvitations | undefined
}

/** The flows by mail of a server that sends no mails. */
const noFlows = { routes: [], mailPurposes: [], factorUndo: undefined }

/** Makes the flows by mail of Keystile's own accounts. */
export function wireMailFlows(parts: Parts, directory: Directory<User>): AccountFlows {
  const shared = { ...sharedParts(parts), directory }
  const { emailVerification, accountPagesUrl, secondFactor } = parts.options
  if (!hasMail(parts.options)) {
    const register = createRegistration({ ...shared, verification: undefined })
    return {
      ...noFlows,
      registration: { register, confirm: undefined },
      routes: [changeRoute(shared)],
      invitations: undefined,
    }
  }

  const verifiesAddresses = emailVerification !== 'off'
  const undo = undoFlow(shared)
  const factorUndo = factorUndoFlow(shared)
  const changes = emailChangeFlow({
    ...shared,
    undo,
    verifiesAddresses,
    mustHaveFactor: (user) => mustHaveFactor(user, { directory, secondFactor }),
  })
  const invitations = invitationFlow(shared)
  const resets = passwordResetFlow({ ...shared, passwordStore: accountPasswords(shared) })
  const registrations = registrationFlow(shared)
  const verifications = verificationFlow({ ...shared, registrations })

  const verification = verifiesAddresses ? verifications.prepare : undefined
  // `verifications` is listed with every setting, also with `off`: users must be able to verify
  // their address, because they cannot set up a second factor without.
  const named = { changes, undo, factorUndo, invitations, resets, verifications }
  const flows = Object.values(named)
  return {
    registration: {
      register:
        emailVerification === 'required'
          ? registrations
          : createRegistration({ ...shared, verification }),
      confirm: verification && verifications.confirm,
    },
    routes: [
      ...flows.flatMap(({ routes }) => routes),
      ...pageRoutes(named, shared, { accountPagesUrl, verifiesAddresses }),
    ],
    // `registrations` also without the setting `required`: a mail that was sent while the server
    // had that setting must still work.
    mailPurposes: purposesOf(verifiesAddresses ? [...flows, registrations] : flows),
    factorUndo,
    newAddressOf: changes.addressOf,
    invitations,
  }
}

interface ShownFlows {
  readonly changes: EmailChanges
  readonly undo: EmailUndo
  readonly factorUndo: FactorUndo
  readonly invitations: Invitations
  readonly resets: PasswordResets
  readonly verifications: Verifications
}

/** Makes the pages that links in mails open. With `accountPagesUrl`, the app has nearly all. */
function pageRoutes(
  { changes, undo, factorUndo, invitations, resets, verifications }: ShownFlows,
  shared: ReturnType<typeof sharedParts>,
  options: { readonly accountPagesUrl?: string | undefined; readonly verifiesAddresses: boolean },
): readonly OpenRoute[] {
  const { accountPagesUrl, verifiesAddresses } = options
  // The last button of the page leads to the page for a new password, if Keystile has that one.
  const lastButton = accountPagesUrl ? undefined : 'password'
  const undoFactor = linkPageRoutes(factorUndoPage(factorUndo, lastButton), shared)
  if (accountPagesUrl) return undoFactor // the app has all other pages

  const profile = describeProfile(shared.profile, 'input')
  const pages = [
    emailChangePage(changes),
    emailUndoPage(undo),
    invitationPage(invitations, shared.passwordPolicy, profile),
    verificationPage(verifications),
    ...(verifiesAddresses ? [finishPage(verifications)] : []),
  ]
  return [
    ...undoFactor,
    ...pages.flatMap((page) => linkPageRoutes(page, shared)),
    ...resetPageRoutes({ ...shared, resets }),
  ]
}

/**
 * Makes the flow by which an app's own users set a new password by mail. Makes none if the app has
 * no `users.setPassword`, or if Keystile sends no mails.
 */
export function wireAppFlows(
  parts: Parts,
  directory: Directory<UserObject>,
): MailFlows<UserObject> {
  if (!hasMail(parts.options)) return noFlows

  const { setPassword } = directory
  if (!setPassword) {
    const { logger } = parts.options
    logger.info({}, 'there is no POST /password-resets, because users has no setPassword')
    return noFlows
  }
  const shared = sharedParts(parts)
  const writable = { ...directory, setPassword }
  const passwordStore = directoryPasswords({ ...shared, directory: writable })
  const resets = passwordResetFlow({ ...shared, directory, passwordStore })
  const pages = parts.options.accountPagesUrl ? [] : resetPageRoutes({ ...shared, resets })
  return { ...noFlows, routes: [...resets.routes, ...pages], mailPurposes: purposesOf([resets]) }
}

function purposesOf(flows: readonly Pick<MailFlow, 'purpose'>[]): readonly ProofPurpose[] {
  return flows.flatMap(({ purpose }) => purpose ?? [])
}

/** What the flows are made from. Each takes only what it uses. */
function sharedParts({ options, accounts, mailSeal: seal, ...parts }: Parts) {
  const { issuer, mailLanguage, registration, profile, clock, rememberFactorDays } = options
  const proofs = createMailProofs(accounts.database, { seal, clock })
  const chosen = {
    issuer,
    mailLanguage,
    registration,
    profile,
    pagesUrl: pagesUrlOf(options),
    ownPagesUrl: pagesUrlOf({ issuer }),
    cookies: createPageCookies(issuer),
    browserLogins: createBrowserLogins(accounts.database, { lifetimes: options, clock }),
    remembersDevices: parts.pages.hasLogin && rememberFactorDays > 0,
  }
  return { ...parts, ...accounts, ...chosen, proofs, seal, clock }
}
