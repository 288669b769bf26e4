export type { BuiltInScope } from './features/scopes/scopes.ts'
export type { IssuingAlgorithm } from './features/signing-keys/sealed-keys.ts'
export type {
  AppEvent,
  DurableAppEvent,
  DurableEventHandler,
} from './features/app-events/app-event.ts'
export type { Session } from './features/sessions/session-ends.ts'
export type { UserDirectory } from './features/directory/directory.ts'
export type {
  AppUsers,
  Grant,
  Invitation,
  ManagedUser,
  NewInvitation,
  NewManagedUser,
  OpenInvitation,
} from './features/accounts/app-users.ts'
export type { AppPasswords } from './features/password-policy/app-passwords.ts'
export type { AppMail } from './features/mail/feature.ts'
export type {
  MailContent,
  MailMessage,
  MailTemplates,
  Notice,
  ProofMail,
} from './features/mail/message.ts'
export type { PasswordOwner } from './features/password-policy/policy.ts'
export type { PublicUser } from './features/accounts/users.ts'
export type { KeystileOptions } from './server/keystile-options.ts'
export type { Sessions, Tokens } from './server/app-sessions.ts'
export { createKeystile } from './server/create-keystile.ts'
export type { Keystile } from './server/keystile.ts'
export type { Pool } from './storage/postgres-client.ts'
