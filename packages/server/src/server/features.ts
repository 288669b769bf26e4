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
import type { CheckedOptions } from '../configuration/options.ts'
import type { CleanUpStep } from '../feature/clean-up.ts'
import type { Feature } from '../feature/feature.ts'
import type { LimitRate } from '../feature/limit-rate.ts'
import { auditEvents as accountEvents } from '../features/accounts/audit-events.ts'
import { rates as accountRates } from '../features/accounts/rates.ts'
import { cleanUp as auditCleanUp } from '../features/audit/clean-up.ts'
import { auditEvents as clientEvents } from '../features/clients/audit-events.ts'
import { rates as clientRates } from '../features/clients/rates.ts'
import { cleanUp as eventCleanUp } from '../features/events/clean-up.ts'
import { cleanUp as limitCleanUp } from '../features/limits/clean-up.ts'
import { auditEvents as loginEvents } from '../features/login/audit-events.ts'
import { rates as loginRates } from '../features/login/rates.ts'
import { auditEvents as oauthEvents } from '../features/oauth/audit-events.ts'
import { auditEvents as sessionEvents } from '../features/sessions/audit-events.ts'
import { cleanUp as sessionCleanUp } from '../features/sessions/clean-up.ts'
import type { Setting } from '../feature/setting.ts'
import * as listener from '../listener/settings.ts'

/** The name of an audit event. */
export type AuditEventName = (
  | typeof accountEvents
  | typeof clientEvents
  | typeof loginEvents
  | typeof oauthEvents
  | typeof sessionEvents
)[number]

/** All features, in the order in which help and documentation name their settings. */
export const features: readonly Feature<Pick<CheckedOptions, 'auditSeconds'>, AuditEventName>[] = [
  {
    name: 'issuer',
    settings: [configuration.issuer, configuration.audience, configuration.database],
  },
  { name: 'listener', settings: [listener.host, listener.port] },
  {
    name: 'http',
    settings: [configuration.corsOrigins, configuration.trustedProxies, configuration.dangerouslyAllowHttpIssuer],
  },
  {
    name: 'signing-keys',
    settings: [signingKeys.key, signingKeys.signingKey, signingKeys.signingAlgorithm],
  },
  {
    name: 'sessions',
    settings: [sessions.accessTokenSeconds, sessions.sessionSeconds, sessions.idleSeconds, sessions.graceSeconds],
    auditEvents: sessionEvents,
    cleanUp: sessionCleanUp,
  },
  { name: 'browser-session', settings: [browserSession.cookieSession] },
  { name: 'scopes', settings: [scopes.scopes, scopes.roles, scopes.defaultScopes] },
  {
    name: 'accounts',
    settings: [accounts.registration, accounts.profile],
    auditEvents: accountEvents,
    rates: accountRates,
  },
  { name: 'directory', settings: [directory.users] },
  { name: 'password-policy', settings: [passwordPolicy.passwordMinLength] },
  { name: 'password', settings: [password.passwordHashing] },
  { name: 'login', auditEvents: loginEvents, rates: loginRates },
  { name: 'clients', auditEvents: clientEvents, rates: clientRates },
  { name: 'oauth', auditEvents: oauthEvents },
  { name: 'events', cleanUp: eventCleanUp },
  { name: 'limits', settings: [limits.rateLimits], cleanUp: limitCleanUp },
  { name: 'audit', settings: [audit.auditSeconds], cleanUp: auditCleanUp },
  {
    name: 'log',
    settings: [listener.logFile, listener.logLevel, listener.accessLog, configuration.logger],
  },
  { name: 'metrics', settings: [listener.metrics] },
  { name: 'clock', settings: [configuration.clock] },
]

/** The settings of all features. */
export const settings: readonly Setting[] = features.flatMap((feature) => feature.settings ?? [])

/** The events of the audit record. */
export const auditEvents: readonly AuditEventName[] = features.flatMap(({ auditEvents = [] }) => auditEvents)

/** The rate limits of all features. */
export const rates: readonly LimitRate[] = features.flatMap(({ rates = [] }) => rates)

/** What housekeeping deletes, in this order. */
export const cleanUpSteps: readonly CleanUpStep<Pick<CheckedOptions, 'auditSeconds'>>[] = features.flatMap(
  ({ cleanUp = [] }) => cleanUp,
)

/** The settings that `createKeystile` takes as options. */
export const optionSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'server')

/** The settings of the stand-alone server. */
export const serverSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'app')
