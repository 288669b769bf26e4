// All commands that write. This list must be complete: on SQLite, the writer thread receives only
// the name and the values of a command, and finds the command in this list.
import type { AnyCommand } from '../storage/database.ts'
import { commands as clientCommands } from '../features/tokens/clients/store.ts'
import { commands as appEventCommands } from '../features/operations/app-events/store.ts'
import { commands as auditCommands } from '../features/operations/audit/store.ts'
import { commands as backupCommands } from '../features/operations/backup/store.ts'
import { commands as emailChangeCommands } from '../features/mail/email-change/store.ts'
import { commands as eventCommands } from '../features/tokens/events/store.ts'
import { commands as verificationCommands } from '../features/mail/email-verification/store.ts'
import { commands as deviceCommands } from '../features/sign-in/known-devices/store.ts'
import { commands as invitationCommands } from '../features/mail/invitations/store.ts'
import {
  commands as leaseCommands,
  createLeasedCommand,
  type LeasedCommand,
} from '../features/operations/lease/store.ts'
import { commands as limitCommands } from '../features/operations/limits/store.ts'
import { commands as loginCommands } from '../features/sign-in/login/store.ts'
import { commands as mailProofPurgeCommands } from '../features/mail/proofs/purge-store.ts'
import { commands as mailProofCommands } from '../features/mail/proofs/store.ts'
import { commands as outboxCommands } from '../features/mail/outbox/store.ts'
import { commands as passwordResetCommands } from '../features/mail/password-reset/store.ts'
import { commands as pendingCommands } from '../features/mail/pending-registration/store.ts'
import { commands as refreshCommands } from '../features/tokens/sessions/refresh-store.ts'
import { commands as sessionPurgeCommands } from '../features/tokens/sessions/purge-store.ts'
import { commands as scopeCommands } from '../features/users/scopes/store.ts'
import { commands as sessionCommands } from '../features/tokens/sessions/store.ts'
import { commands as signingKeyCommands } from '../features/tokens/signing-keys/store.ts'
import { commands as formerEmailCommands } from '../features/users/accounts/former-email-store.ts'
import { commands as managementCommands } from '../features/users/accounts/management-store.ts'
import { commands as userCommands } from '../features/users/accounts/store.ts'

const listed: readonly AnyCommand[] = [
  ...appEventCommands,
  ...auditCommands,
  ...backupCommands,
  ...clientCommands,
  ...deviceCommands,
  ...emailChangeCommands,
  ...eventCommands,
  ...formerEmailCommands,
  ...invitationCommands,
  ...leaseCommands,
  ...limitCommands,
  ...loginCommands,
  ...mailProofCommands,
  ...mailProofPurgeCommands,
  ...managementCommands,
  ...outboxCommands,
  ...passwordResetCommands,
  ...pendingCommands,
  ...refreshCommands,
  ...scopeCommands,
  ...sessionCommands,
  ...sessionPurgeCommands,
  ...signingKeyCommands,
  ...userCommands,
  ...verificationCommands,
]

/** Runs one of the listed commands, but only if this process still holds the lease. */
export const underLease: LeasedCommand = createLeasedCommand(listed)

export const commands: readonly AnyCommand[] = [...listed, underLease]
