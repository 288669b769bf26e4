import type { Seal } from '../../base/seal.ts'
import type { Meter } from '../../feature/metric.ts'
import { enforceRules } from '../../configuration/enforce-rules.ts'
import { createUserAnnouncer } from '../../features/tokens/events/user-changes.ts'
import {
  noDevices,
  openDevices,
  type Devices,
} from '../../features/sign-in/known-devices/devices.ts'
import { createConfiguredLimits } from '../../features/operations/limits/configured-limits.ts'
import type { Limits } from '../../features/operations/limits/limits.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import type { Notices } from '../../features/mail/messages/notices.ts'
import {
  createPasswordPolicy,
  type PasswordPolicy,
} from '../../features/credentials/password-policy/policy.ts'
import { scopeRulesOf, type ScopeRules } from '../../features/users/scopes/scopes.ts'
import type { RotationSettings } from '../../features/tokens/signing-keys/rotation.ts'
import { openPages, type OpenPages } from '../../features/pages/brand/page-settings.ts'
import { createProxies, type Proxies } from '../../http/proxies.ts'
import { rules as safetyRules } from '../features.ts'
import type { Accounts } from './stores.ts'
import type { CheckedOptions } from '../options.ts'

/** What is there before the safety rules are checked. */
export interface FirstParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  readonly notices: Notices
  readonly mailSeal: () => Seal
  readonly meter: Meter
  readonly rotation: RotationSettings
}

/** What does not depend on whose the users are. */
export interface Parts extends FirstParts {
  readonly pages: OpenPages
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly proxies: Proxies
  readonly limits: Limits
  readonly devices: Devices
  readonly userChanged: (subject: string) => Promise<void>
}

/** @throws {ConfigurationError} when a safety rule stops the start */
export async function openParts(first: FirstParts): Promise<Parts> {
  const { options, accounts } = first
  const { issuer, passwordMinLength: minLength, clock } = options
  const { database } = accounts

  await enforceRules(safetyRules, options, database)
  const proxies = createProxies(options.trustedProxies ?? [])
  // A known device has a limit of its own, causes no notice, or is remembered.
  const knowsDevices =
    options.rateLimits === 'on' || hasMail(options) || options.rememberFactorDays > 0
  return {
    ...first,
    pages: openPages(options),
    passwordPolicy: createPasswordPolicy({ issuer, minLength }),
    scopes: scopeRulesOf(options),
    proxies,
    limits: createConfiguredLimits(database, options, proxies.isTrusted),
    devices: knowsDevices ? await openDevices(database, clock) : noDevices,
    userChanged: createUserAnnouncer(database, clock),
  }
}
