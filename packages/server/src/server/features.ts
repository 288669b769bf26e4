import type { UserObject } from 'keystile'
import * as app from '../configuration/app.ts'
import * as database from '../configuration/database.ts'
import * as http from '../configuration/http.ts'
import * as issuer from '../configuration/issuer.ts'
import * as machine from '../configuration/machine-rules.ts'
import type { CleanUpStep } from '../feature/clean-up.ts'
import type { Call, CliCommand } from '../feature/cli-command.ts'
import type {
  AnyFeature,
  AuditEventOf,
  WithAuditEvents,
  WithSettings,
} from '../feature/feature-list.ts'
import type { LimitRate } from '../feature/limit-rate.ts'
import type { Metric } from '../feature/metric.ts'
import type { Rule } from '../feature/rule.ts'
import type { Setting } from '../feature/setting.ts'
import * as passwordPolicy from '../features/credentials/password-policy/feature.ts'
import * as password from '../features/credentials/password/feature.ts'
import * as emailChange from '../features/mail/email-change/feature.ts'
import * as emailVerification from '../features/mail/email-verification/feature.ts'
import * as factorUndo from '../features/mail/factor-undo/feature.ts'
import * as invitations from '../features/mail/invitations/feature.ts'
import * as mail from '../features/mail/messages/feature.ts'
import * as outbox from '../features/mail/outbox/feature.ts'
import * as passwordReset from '../features/mail/password-reset/feature.ts'
import * as pendingRegistration from '../features/mail/pending-registration/feature.ts'
import * as mailProofs from '../features/mail/proofs/feature.ts'
import * as appEvents from '../features/operations/app-events/feature.ts'
import * as audit from '../features/operations/audit/feature.ts'
import * as backup from '../features/operations/backup/feature.ts'
import * as limits from '../features/operations/limits/feature.ts'
import * as brand from '../features/pages/brand/feature.ts'
import * as docs from '../features/pages/docs/feature.ts'
import * as attempts from '../features/sign-in/attempts/feature.ts'
import * as browserLogin from '../features/sign-in/browser-login/feature.ts'
import * as browserSession from '../features/sign-in/browser-session/feature.ts'
import * as factors from '../features/sign-in/factors/feature.ts'
import * as login from '../features/sign-in/login/feature.ts'
import * as clients from '../features/tokens/clients/feature.ts'
import * as events from '../features/tokens/events/feature.ts'
import * as oauth from '../features/tokens/oauth/feature.ts'
import * as revocationFeed from '../features/tokens/revocation-feed/feature.ts'
import * as sessions from '../features/tokens/sessions/feature.ts'
import * as signingKeys from '../features/tokens/signing-keys/feature.ts'
import * as accounts from '../features/users/accounts/feature.ts'
import * as directory from '../features/users/directory/feature.ts'
import * as scopes from '../features/users/scopes/feature.ts'
import * as listener from '../listener/feature.ts'

/**
 * The options of `createKeystile()` that are always allowed, whether Keystile or the app stores the
 * users.
 */
export interface SharedOptions<S extends string>
  extends
    issuer.IssuerOptions,
    database.DatabaseOptions,
    http.HttpOptions,
    scopes.ScopeOptions<S>,
    sessions.SessionOptions,
    browserLogin.LoginPageOptions,
    browserSession.BrowserSessionOptions,
    factors.FactorOptions,
    signingKeys.SigningKeyOptions,
    password.PasswordOptions,
    passwordPolicy.PasswordPolicyOptions,
    limits.LimitOptions,
    audit.AuditOptions,
    appEvents.AppEventOptions,
    mail.MailOptions,
    brand.BrandOptions,
    docs.DocsOptions,
    app.AppOptions {}

/** The options of `createKeystile()` that are allowed only if Keystile stores the users. */
export interface OwnAccountOptions<S extends string, P extends object>
  extends
    scopes.RoleOptions<S>,
    factors.FactorRoleOptions,
    accounts.AccountOptions<P>,
    emailVerification.EmailVerificationOptions {}

/** The names of all audit events. */
export type AuditEventName = AuditEventOf<
  | typeof accounts.feature
  | typeof attempts.feature
  | typeof backup.feature
  | typeof clients.feature
  | typeof emailVerification.feature
  | typeof factors.feature
  | typeof emailChange.feature
  | typeof factorUndo.feature
  | typeof invitations.feature
  | typeof login.feature
  | typeof oauth.feature
  | typeof passwordReset.feature
  | typeof sessions.feature
  | typeof signingKeys.feature
>

type AnyOptions = SharedOptions<string> &
  OwnAccountOptions<string, object> &
  directory.DirectoryOptions<string, UserObject>

/** The values of all options, each without `undefined`. */
export type OptionValues = { readonly [N in keyof AnyOptions]-?: Exclude<AnyOptions[N], undefined> }

/** The options that stay undefined if they are not given. */
export const optionsWithoutDefault = [
  'audience',
  'profile',
  'users',
  'key',
  'previousKey',
  'signingKey',
  'trustedProxies',
  'onEvent',
  'mail',
  'mailUrl',
  'mailFrom',
  'mailDkimKey',
  'accountPagesUrl',
  'appName',
  'appLogoFile',
  'appUrl',
  'termsUrl',
  'privacyUrl',
  'pagesCssFile',
  'pageTexts',
] as const
type WithoutDefault = (typeof optionsWithoutDefault)[number]

/** The given options, and the defaults of the options that were not given. */
export type CompleteOptions = Omit<OptionValues, WithoutDefault> & {
  readonly [N in WithoutDefault]?: OptionValues[N] | undefined
}

/**
 * The options that safety rules read. The rules check only whether `users` is given, and not its
 * value.
 */
export type RuleOptions = {
  readonly [N in keyof OptionValues]?: (N extends 'users' ? unknown : OptionValues[N]) | undefined
}

type SettingName = keyof OptionValues | keyof listener.ServerSettings
type ListedFeature = AnyFeature<RuleOptions, CompleteOptions, AuditEventName>

/**
 * The list of all features. Add a feature here. Help, documentation, `doctor` and housekeeping use
 * the order of this list.
 */
const list = [
  issuer.feature,
  database.feature,
  listener.feature,
  http.feature,
  accounts.feature,
  directory.feature,
  login.feature,
  attempts.feature,
  factors.feature,
  passwordPolicy.feature,
  scopes.feature,
  clients.feature,
  oauth.feature,
  sessions.feature,
  browserLogin.feature,
  browserSession.feature,
  events.feature,
  revocationFeed.feature,
  signingKeys.feature,
  password.feature,
  limits.feature,
  docs.feature,
  audit.feature,
  appEvents.feature,
  mail.feature,
  brand.feature,
  outbox.feature,
  mailProofs.feature,
  passwordReset.feature,
  pendingRegistration.feature,
  emailVerification.feature,
  emailChange.feature,
  factorUndo.feature,
  invitations.feature,
  backup.feature,
  app.feature,
  machine.feature,
] satisfies readonly ListedFeature[]
type List = typeof list

/**
 * All features. This line compiles only if each setting and each audit event is in the record of a
 * feature.
 */
export const features: readonly ListedFeature[] = list satisfies WithSettings<
  SettingName,
  List
> satisfies WithAuditEvents<AuditEventName, List>

export const settings: readonly Setting[] = features.flatMap(({ settings = [] }) => settings)

/** The settings that are options of `createKeystile()`. */
export const optionSettings: readonly Setting[] = settings.filter(
  ({ takenBy }) => takenBy !== 'server',
)

/** The settings of the stand-alone server. */
export const serverSettings: readonly Setting[] = settings.filter(
  ({ takenBy }) => takenBy !== 'app',
)

export const rules: readonly Rule<RuleOptions>[] = features.flatMap(({ rules = [] }) => rules)

export const auditEvents: readonly AuditEventName[] = features.flatMap(
  ({ auditEvents = [] }) => auditEvents,
)

export const rates: readonly LimitRate[] = features.flatMap(({ rates = [] }) => rates)

export const metrics: readonly Metric[] = features.flatMap(({ metrics = [] }) => metrics)

/** The clean-up steps of all features. Housekeeping runs them to delete expired rows. */
export const cleanUpSteps: readonly CleanUpStep<CompleteOptions>[] = features.flatMap(
  ({ cleanUp = [] }) => cleanUp,
)

export const cliCommands: readonly CliCommand<Call<CompleteOptions>>[] = features.flatMap(
  ({ cliCommands = [] }) => cliCommands,
)
