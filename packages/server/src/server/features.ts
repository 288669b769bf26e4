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
import { databaseRules } from '../configuration/database-rules.ts'
import { machineRules } from '../configuration/machine-rules.ts'
import { proxyRules } from '../configuration/proxy-rules.ts'
import { corsRules, issuerRules } from '../configuration/rules.ts'
import type { RuleOptions } from '../configuration/examination.ts'
import type { CheckedOptions } from '../configuration/options.ts'
import type { CleanUpStep } from '../feature/clean-up.ts'
import type { Call, CliCommand } from '../feature/cli-command.ts'
import type { Feature } from '../feature/feature.ts'
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

/** All features, in the order in which help and documentation name their settings. */
export const features: readonly Feature<CheckedOptions, RuleOptions>[] = [
  {
    name: 'issuer',
    settings: [configuration.issuer, configuration.audience, configuration.database],
    rules: [...issuerRules, ...databaseRules],
  },
  { name: 'machine', rules: machineRules },
  { name: 'listener', settings: [listener.host, listener.port], rules: listenerRules },
  {
    name: 'http',
    settings: [configuration.corsOrigins, configuration.trustedProxies, configuration.dangerouslyAllowHttpIssuer],
    rules: [...proxyRules, ...corsRules],
  },
  {
    name: 'signing-keys',
    settings: [signingKeys.key, signingKeys.signingKey, signingKeys.signingAlgorithm],
    rules: signingKeyRules,
    cliCommands: signingKeyCommands,
  },
  {
    name: 'sessions',
    settings: [sessions.accessTokenSeconds, sessions.sessionSeconds, sessions.idleSeconds, sessions.graceSeconds],
    rules: sessionRules,
    cleanUp: sessionCleanUp,
  },
  { name: 'browser-session', settings: [browserSession.cookieSession], rules: browserSessionRules },
  { name: 'scopes', settings: [scopes.scopes, scopes.roles, scopes.defaultScopes] },
  {
    name: 'accounts',
    settings: [accounts.registration, accounts.profile],
    rules: accountRules,
    cliCommands: accountCommands,
  },
  { name: 'directory', settings: [directory.users] },
  { name: 'password-policy', settings: [passwordPolicy.passwordMinLength] },
  { name: 'password', settings: [password.passwordHashing], cliCommands: passwordCommands },
  { name: 'clients', cliCommands: clientCommands(grants) },
  { name: 'events', cleanUp: eventCleanUp },
  { name: 'limits', settings: [limits.rateLimits], rules: limitRules, cleanUp: limitCleanUp },
  { name: 'audit', settings: [audit.auditSeconds], cleanUp: auditCleanUp, cliCommands: auditCommands },
  {
    name: 'log',
    settings: [listener.logFile, listener.logLevel, listener.accessLog, configuration.logger],
  },
  { name: 'metrics', settings: [listener.metrics] },
  { name: 'clock', settings: [configuration.clock] },
]

/** The settings of all features. */
export const settings: readonly Setting[] = features.flatMap((feature) => feature.settings ?? [])

/** What housekeeping deletes, in this order. */
export const cleanUpSteps: readonly CleanUpStep<Pick<CheckedOptions, 'auditSeconds'>>[] = features.flatMap(
  ({ cleanUp = [] }) => cleanUp,
)

/** The command-line commands of all features. */
export const cliCommands: readonly CliCommand<Call<CheckedOptions>>[] = features.flatMap(
  (feature) => feature.cliCommands ?? [],
)

/** The settings that `createKeystile` takes as options. */
export const optionSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'server')

/** The settings of the stand-alone server. */
export const serverSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'app')
