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
import type { Feature } from '../feature/feature.ts'
import type { Setting } from '../feature/setting.ts'
import * as listener from '../listener/settings.ts'

/** All features, in the order in which help and documentation name their settings. */
export const features: readonly Feature[] = [
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
  },
  { name: 'browser-session', settings: [browserSession.cookieSession] },
  { name: 'scopes', settings: [scopes.scopes, scopes.roles, scopes.defaultScopes] },
  { name: 'accounts', settings: [accounts.registration, accounts.profile] },
  { name: 'directory', settings: [directory.users] },
  { name: 'password-policy', settings: [passwordPolicy.passwordMinLength] },
  { name: 'password', settings: [password.passwordHashing] },
  { name: 'limits', settings: [limits.rateLimits] },
  { name: 'audit', settings: [audit.auditSeconds] },
  {
    name: 'log',
    settings: [listener.logFile, listener.logLevel, listener.accessLog, configuration.logger],
  },
  { name: 'metrics', settings: [listener.metrics] },
  { name: 'clock', settings: [configuration.clock] },
]

/** The settings of all features. */
export const settings: readonly Setting[] = features.flatMap((feature) => feature.settings ?? [])

/** The settings that `createKeystile` takes as options. */
export const optionSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'server')

/** The settings of the stand-alone server. */
export const serverSettings: readonly Setting[] = settings.filter(({ takenBy }) => takenBy !== 'app')
