import type { UserObject } from 'keystile'
import * as accounts from '../features/accounts/settings.ts'
import * as audit from '../features/audit/settings.ts'
import * as browserSession from '../features/browser-session/settings.ts'
import * as directory from '../features/directory/settings.ts'
import * as limits from '../features/limits/settings.ts'
import * as passwordPolicy from '../features/password-policy/settings.ts'
import * as password from '../features/password/settings.ts'
import * as scopes from '../features/scopes/settings.ts'
import * as sessions from '../features/sessions/settings.ts'
import * as signingKeys from '../features/signing-keys/settings.ts'
import * as configuration from '../configuration/settings.ts'
import type { LimitRate } from '../feature/limit-rate.ts'
import type { Metric } from '../feature/metric.ts'
import { auditEvents as accountEvents } from '../features/accounts/audit-events.ts'
import { rates as accountRates } from '../features/accounts/rates.ts'
import { auditEvents as clientEvents } from '../features/clients/audit-events.ts'
import { rates as clientRates } from '../features/clients/rates.ts'
import { metrics as eventMetrics } from '../features/events/metrics.ts'
import { auditEvents as loginEvents } from '../features/login/audit-events.ts'
import { rates as loginRates } from '../features/login/rates.ts'
import { auditEvents as oauthEvents } from '../features/oauth/audit-events.ts'
import { metrics as oauthMetrics } from '../features/oauth/metrics.ts'
import { metrics as passwordMetrics } from '../features/password/metrics.ts'
import { auditEvents as sessionEvents } from '../features/sessions/audit-events.ts'
import { metrics as httpMetrics } from '../http/metrics.ts'
import { metrics as listenerMetrics } from '../listener/metrics.ts'
import { writeQueueLength } from '../storage/metrics.ts'
import type { CleanUpStep } from '../feature/clean-up.ts'
import type { Feature, WithSettings } from '../feature/feature.ts'
import { databaseRules } from '../configuration/database-rules.ts'
import { machineRules } from '../configuration/machine-rules.ts'
import { proxyRules } from '../configuration/proxy-rules.ts'
import { corsRules, issuerRules } from '../configuration/rules.ts'
import type { Call, CliCommand } from '../feature/cli-command.ts'
import { cleanUp as auditCleanUp } from '../features/audit/clean-up.ts'
import { cleanUp as eventCleanUp } from '../features/events/clean-up.ts'
import { cleanUp as limitCleanUp } from '../features/limits/clean-up.ts'
import { cleanUp as sessionCleanUp } from '../features/sessions/clean-up.ts'
import type { Setting } from '../feature/setting.ts'
import { cliCommands as accountCommands } from '../features/accounts/cli-commands.ts'
import { cliCommands as auditCommands } from '../features/audit/cli-commands.ts'
import { cliCommands as clientCommands } from '../features/clients/cli-commands.ts'
import { grants } from '../features/oauth/grants.ts'
import { cliCommands as passwordCommands } from '../features/password/cli-commands.ts'
import { cliCommands as signingKeyCommands } from '../features/signing-keys/cli-commands.ts'
import { rules as accountRules } from '../features/accounts/rules.ts'
import { rules as browserSessionRules } from '../features/browser-session/rules.ts'
import { rules as limitRules } from '../features/limits/rules.ts'
import { rules as sessionRules } from '../features/sessions/rules.ts'
import { rules as signingKeyRules } from '../features/signing-keys/rules.ts'
import { rules as listenerRules } from '../listener/rules.ts'
import * as listener from '../listener/settings.ts'

/** The options of `createKeystile`, wherever the users are kept. */
export interface SharedOptions<S extends string>
  extends
    configuration.IssuerOptions,
    configuration.HttpOptions,
    signingKeys.SigningKeyOptions,
    sessions.SessionOptions,
    browserSession.BrowserSessionOptions,
    scopes.ScopeOptions<S>,
    password.PasswordOptions,
    limits.LimitOptions,
    audit.AuditOptions,
    configuration.LoggerOptions,
    configuration.ClockOptions {}

/** The options of `createKeystile` for Keystile's own accounts. */
export interface OwnAccountOptions<S extends string, P extends object>
  extends scopes.RoleOptions<S>, accounts.AccountOptions<P>, passwordPolicy.PasswordPolicyOptions {}

type AnyOptions = SharedOptions<string> &
  OwnAccountOptions<string, object> &
  directory.DirectoryOptions<string, UserObject>

/** The value of each option, once it is given. */
export type OptionValues = { readonly [N in keyof AnyOptions]-?: Exclude<AnyOptions[N], undefined> }

/** The options that may be missing: they have no default. */
export const optionsWithoutDefault = ['audience', 'profile', 'users', 'key', 'signingKey', 'trustedProxies'] as const
type WithoutDefault = (typeof optionsWithoutDefault)[number]

/** The options as they were given, with the defaults of the others. */
export type CompleteOptions = Omit<OptionValues, WithoutDefault> & {
  readonly [N in WithoutDefault]?: OptionValues[N] | undefined
}

/** The name of an audit event. */
export type AuditEventName = (
  | typeof accountEvents
  | typeof clientEvents
  | typeof loginEvents
  | typeof oauthEvents
  | typeof sessionEvents
)[number]

/** The options that safety rules look at; of `users`, only whether they are given. */
export type RuleOptions = {
  readonly [N in keyof OptionValues]?: (N extends 'users' ? unknown : OptionValues[N]) | undefined
}

type SettingName = keyof OptionValues | keyof listener.ServerSettings

const list = [
  {
    name: 'issuer',
    settings: configuration.issuerSettings,
    rules: [...issuerRules, ...databaseRules],
    metrics: [writeQueueLength],
  },
  { name: 'machine', rules: machineRules },
  { name: 'listener', settings: listener.bindingSettings, rules: listenerRules, metrics: listenerMetrics },
  { name: 'http', settings: configuration.httpSettings, rules: [...proxyRules, ...corsRules], metrics: httpMetrics },
  { name: 'signing-keys', settings: signingKeys.settings, rules: signingKeyRules, cliCommands: signingKeyCommands },
  {
    name: 'sessions',
    settings: sessions.settings,
    rules: sessionRules,
    auditEvents: sessionEvents,
    cleanUp: sessionCleanUp,
  },
  { name: 'browser-session', settings: browserSession.settings, rules: browserSessionRules },
  { name: 'scopes', settings: scopes.settings },
  {
    name: 'accounts',
    settings: accounts.settings,
    rules: accountRules,
    cliCommands: accountCommands,
    auditEvents: accountEvents,
    rates: accountRates,
  },
  { name: 'directory', settings: directory.settings },
  { name: 'password-policy', settings: passwordPolicy.settings },
  { name: 'password', settings: password.settings, cliCommands: passwordCommands, metrics: passwordMetrics },
  { name: 'login', auditEvents: loginEvents, rates: loginRates },
  { name: 'clients', cliCommands: clientCommands(grants), auditEvents: clientEvents, rates: clientRates },
  { name: 'oauth', auditEvents: oauthEvents, metrics: oauthMetrics },
  { name: 'events', cleanUp: eventCleanUp, metrics: eventMetrics },
  { name: 'limits', settings: limits.settings, rules: limitRules, cleanUp: limitCleanUp },
  { name: 'audit', settings: audit.settings, cliCommands: auditCommands, cleanUp: auditCleanUp },
  { name: 'log', settings: [...listener.logSettings, ...configuration.loggerSettings] },
  { name: 'metrics', settings: listener.metricsSettings },
  { name: 'clock', settings: configuration.clockSettings },
] satisfies readonly Feature<CompleteOptions, RuleOptions, SettingName, AuditEventName>[]

/** All features, in the order in which help and documentation name their settings. */
export const features: readonly Feature<CompleteOptions, RuleOptions, string, AuditEventName>[] =
  list satisfies WithSettings<SettingName, typeof list>

/** The settings of all features. */
export const settings: readonly Setting[] = features.flatMap((feature) => feature.settings ?? [])

/** The events of the audit record. */
export const auditEvents: readonly AuditEventName[] = features.flatMap(({ auditEvents = [] }) => auditEvents)

/** The rate limits of all features. */
export const rates: readonly LimitRate[] = features.flatMap(({ rates = [] }) => rates)

/** The metrics of all features, in the order in which they are told. */
export const metrics: readonly Metric[] = features.flatMap(({ metrics = [] }) => metrics)

/** What housekeeping deletes, in this order. */
export const cleanUpSteps: readonly CleanUpStep<CompleteOptions>[] = features.flatMap(({ cleanUp = [] }) => cleanUp)

/** The command-line commands of all features. */
export const cliCommands: readonly CliCommand<Call<CompleteOptions>>[] = features.flatMap(
  (feature) => feature.cliCommands ?? [],
)

/** The settings that `createKeystile` takes as options. */
export const optionSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'server')

/** The settings of the stand-alone server. */
export const serverSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'app')
