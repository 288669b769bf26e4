// @keystile/server: the public API for an app with Keystile inside.
export { createKeystile } from './server/create-keystile.ts'
export { migrateDatabase } from './storage/open.ts'
export type { Keystile } from './server/keystile.ts'
export type { KeystileOptions } from './server/keystile-options.ts'

export type { Pool } from './storage/postgres-client.ts'
export type { IssuingAlgorithm } from './features/tokens/signing-keys/signing-key.ts'
export type { BuiltInScope } from './features/users/scopes/scopes.ts'
export type { UserDirectory } from './features/users/directory/directory.ts'
export type { PublicUser } from './features/users/accounts/user.ts'

export type { Sessions, Tokens } from './server/app-sessions.ts'
export type { Session } from './features/tokens/sessions/session-ends.ts'
export type { AppPasswords } from './features/credentials/password-policy/app-passwords.ts'
export type { PasswordOwner } from './features/credentials/password-policy/policy.ts'
export type {
  AppUsers,
  Grant,
  Invitation,
  ManagedUser,
  NewInvitation,
  NewManagedUser,
  OpenInvitation,
} from './features/users/accounts/app-users.ts'

export type { AppMail } from './features/mail/messages/feature.ts'
export type {
  CodeMail,
  MailContent,
  MailMessage,
  MailTemplates,
  Notice,
  ProofMail,
} from './features/mail/messages/message.ts'
export type {
  AppEvent,
  DurableAppEvent,
  DurableEventHandler,
} from './features/operations/app-events/app-event.ts'
