import type { Seal } from '../../base/seal.ts'
import type { Meter } from '../../feature/metric.ts'
import {
  createPasswordPolicy,
  type PasswordPolicy,
} from '../../features/credentials/password-policy/policy.ts'
import { hasMail } from '../../features/mail/messages/mail.ts'
import type { Notices } from '../../features/mail/messages/notices.ts'
import { createConfiguredLimits } from '../../features/operations/limits/configured-limits.ts'
import type { Limits } from '../../features/operations/limits/limits.ts'
import { openPages, type OpenPages } from '../../features/pages/brand/page-settings.ts'
import {
  noDevices,
  openDevices,
  type Devices,
} from '../../features/sign-in/known-devices/devices.ts'
import { createUserAnnouncer } from '../../features/tokens/events/user-announcer.ts'
import type { RotationSettings } from '../../features/tokens/signing-keys/rotation.ts'
import { scopeRulesOf, type ScopeRules } from '../../features/users/scopes/scopes.ts'
import { createProxies, type Proxies } from '../../http/proxies.ts'
import type { CheckedOptions } from '../options.ts'
import type { Accounts } from './accounts.ts'
import type { Opened } from './opened.ts'

/** The parts that exist as soon as the database is open. */
export interface FirstParts {
  readonly options: CheckedOptions
  readonly accounts: Accounts
  /** What must be closed at the end, or if the start fails. The accounts are in it. */
  readonly opened: Opened
  /** Makes the mails about changes of an account. */
  readonly notices: Notices
  /** Encrypts stored mails. */
  readonly mailSeal: () => Seal
  readonly meter: Meter
  readonly rotation: RotationSettings
}

/** The parts that serve Keystile's accounts and an app's own users alike. */
export interface Parts extends FirstParts {
  readonly pages: OpenPages
  readonly passwordPolicy: PasswordPolicy
  readonly scopes: ScopeRules
  readonly proxies: Proxies
  readonly limits: Limits
  readonly devices: Devices
  /** Tells all processes that a user has changed. */
  readonly userChanged: (subject: string) => Promise<void>
}

export async function openParts(first: FirstParts): Promise<Parts> {
  const { options, accounts } = first
  const { issuer, passwordMinLength: minLength, clock } = options
  const { database } = accounts

  const proxies = createProxies(options.trustedProxies ?? [])
  // A known device has rate limits of its own, gets no mail about a new device, and may be
  // remembered after a second factor. Without all three, no device needs to be known.
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
