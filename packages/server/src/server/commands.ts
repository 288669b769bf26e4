// All commands that write: those that the stores export. The list of stores must be complete: on
// SQLite, the writer thread receives only the name and the values of a command, and finds the
// command here.
import type { OfUser } from '../feature/of-user.ts'
import * as secondFactors from '../features/credentials/second-factors/store.ts'
import * as emailChange from '../features/mail/email-change/store.ts'
import * as emailVerification from '../features/mail/email-verification/store.ts'
import * as factorUndo from '../features/mail/factor-undo/store.ts'
import * as invitations from '../features/mail/invitations/store.ts'
import * as outbox from '../features/mail/outbox/store.ts'
import * as passwordReset from '../features/mail/password-reset/store.ts'
import * as pendingRegistration from '../features/mail/pending-registration/store.ts'
import * as proofCodes from '../features/mail/proofs/code-store.ts'
import * as purgeProofs from '../features/mail/proofs/purge-store.ts'
import * as proofs from '../features/mail/proofs/store.ts'
import * as appEvents from '../features/operations/app-events/store.ts'
import * as audit from '../features/operations/audit/store.ts'
import { createFinishRestore } from '../features/operations/backup/store.ts'
import * as lease from '../features/operations/lease/store.ts'
import * as limits from '../features/operations/limits/store.ts'
import * as attempts from '../features/sign-in/attempts/store.ts'
import * as browserLogins from '../features/sign-in/browser-login/store.ts'
import * as factors from '../features/sign-in/factors/store.ts'
import * as knownDevices from '../features/sign-in/known-devices/store.ts'
import * as firstStart from '../features/sign-in/login/first-start-store.ts'
import * as proveMailbox from '../features/sign-in/login/prove-mailbox-store.ts'
import * as login from '../features/sign-in/login/store.ts'
import * as wrongCodes from '../features/sign-in/login/wrong-codes-store.ts'
import * as clients from '../features/tokens/clients/store.ts'
import * as events from '../features/tokens/events/store.ts'
import { createForgetUser } from '../features/tokens/sessions/forget-store.ts'
import * as purgeSessions from '../features/tokens/sessions/purge-store.ts'
import * as refreshSessions from '../features/tokens/sessions/refresh-store.ts'
import * as sessions from '../features/tokens/sessions/store.ts'
import * as issuerSettings from '../features/tokens/signing-keys/setting-store.ts'
import * as signingKeys from '../features/tokens/signing-keys/store.ts'
import { createDeleteUser } from '../features/users/accounts/deletion-store.ts'
import * as formerEmails from '../features/users/accounts/former-email-store.ts'
import * as management from '../features/users/accounts/management-store.ts'
import * as accounts from '../features/users/accounts/store.ts'
import * as scopes from '../features/users/scopes/store.ts'
import type { AnyCommand } from '../storage/database.ts'

interface Store extends Readonly<Record<string, unknown>> {
  readonly ofUser?: OfUser
}

const stores: readonly Store[] = [
  secondFactors,
  emailChange,
  factorUndo,
  emailVerification,
  invitations,
  outbox,
  passwordReset,
  pendingRegistration,
  proofCodes,
  purgeProofs,
  proofs,
  appEvents,
  audit,
  lease,
  limits,
  attempts,
  browserLogins,
  factors,
  knownDevices,
  firstStart,
  proveMailbox,
  login,
  wrongCodes,
  clients,
  events,
  purgeSessions,
  refreshSessions,
  sessions,
  issuerSettings,
  signingKeys,
  formerEmails,
  management,
  accounts,
  scopes,
]

/** What all features store about users. */
export const ofUser: readonly OfUser[] = stores.flatMap(({ ofUser = [] }) => ofUser)

/** Erases what all features store about a user of the app. */
export const forgetUser: ReturnType<typeof createForgetUser> = createForgetUser(ofUser)

const listed: readonly AnyCommand[] = [
  ...stores.flatMap(commandsIn),
  createDeleteUser(ofUser),
  createFinishRestore(ofUser),
  forgetUser,
]

/** Returns the commands that a store exports, one by one or in a record. */
function commandsIn(store: Store): readonly AnyCommand[] {
  const found = Object.values(store).flatMap((exported) =>
    isCommand(exported) ? exported : Object.values(Object(exported)).filter(isCommand),
  )
  return [...new Set(found)]
}

function isCommand(exported: unknown): exported is AnyCommand {
  return typeof exported === 'object' && exported !== null && 'run' in exported
}

/** Runs one of the listed commands, but only if this process still holds the lease. */
export const underLease: lease.LeasedCommand = lease.createLeasedCommand(listed)

export const commands: readonly AnyCommand[] = [...listed, underLease]
