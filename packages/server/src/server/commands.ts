// All commands that write. This list must be complete: on SQLite, the writer thread receives only
// the name and the values of a command, and finds the command in this list.
import type { AnyCommand } from '../storage/database.ts'
import { commands as clientCommands } from '../features/clients/store.ts'
import { commands as appEventCommands } from '../features/app-events/store.ts'
import { commands as auditCommands } from '../features/audit/store.ts'
import { commands as backupCommands } from '../features/backup/store.ts'
import { commands as emailChangeCommands } from '../features/email-change/store.ts'
import { commands as eventCommands } from '../features/events/store.ts'
import { commands as verificationCommands } from '../features/email-verification/store.ts'
import { commands as deviceCommands } from '../features/known-devices/store.ts'
import { commands as invitationCommands } from '../features/invitations/store.ts'
import {
  commands as leaseCommands,
  createLeasedCommand,
  type LeasedCommand,
} from '../features/lease/store.ts'
import { commands as limitCommands } from '../features/limits/store.ts'
import { commands as loginCommands } from '../features/login/store.ts'
import { commands as mailProofPurgeCommands } from '../features/mail-proofs/purge-store.ts'
import { commands as mailProofCommands } from '../features/mail-proofs/store.ts'
import { commands as outboxCommands } from '../features/outbox/store.ts'
import { commands as passwordResetCommands } from '../features/password-reset/store.ts'
import { commands as pendingRegistrationCommands } from '../features/pending-registration/store.ts'
import { commands as refreshCommands } from '../features/sessions/refresh-store.ts'
import { commands as sessionPurgeCommands } from '../features/sessions/purge-store.ts'
import { commands as scopeCommands } from '../features/scopes/store.ts'
import { commands as sessionCommands } from '../features/sessions/store.ts'
import { commands as signingKeyCommands } from '../features/signing-keys/store.ts'
import { commands as formerEmailCommands } from '../features/accounts/former-email-store.ts'
import { commands as managementCommands } from '../features/accounts/management-store.ts'
import { commands as userCommands } from '../features/accounts/store.ts'

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
  ...pendingRegistrationCommands,
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
