import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import { listSettings, type DefaultedSetting, type Values } from '../../../feature/setting.ts'
import { show } from '../../../feature/shown-value.ts'
import { parseList } from '../../../feature/values.ts'
import { auditEvents, type FactorEvent } from '../../credentials/second-factors/audit-events.ts'
import {
  isOff,
  secondFactorChoices,
  type SecondFactorChoice,
} from '../../credentials/second-factors/factor-choice.ts'
import { adminRole } from '../../users/scopes/scopes.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'
import { rules, type RuleOptions } from './rules.ts'

export interface FactorOptions {
  /**
   * Whether users may set up a second factor. `off`: they cannot; a factor that exists is still
   * asked for. `optional`: each user decides. `required`: each login needs one, and a user who has
   * none sets it up within the login. Default: `optional` in the stand-alone server; `off` in an
   * app, because a login form without a field for the code would lock people out.
   */
  readonly secondFactor?: SecondFactorChoice
}

export interface FactorRoleOptions {
  /** The roles whose users must have a second factor, where the others may. Default: none. */
  readonly secondFactorRoles?: readonly string[]
}

const secondFactor: DefaultedSetting<'secondFactor', SecondFactorChoice> = {
  name: 'secondFactor',
  takenBy: 'both',
  schema: z.enum(secondFactorChoices, { error: 'must be off, optional or required' }),
  default: 'off',
  // Without `key`, nothing could encrypt the secrets of apps.
  standAloneDefault: ({ signingKey, key }) =>
    signingKey !== undefined && key === undefined ? 'off' : 'optional',
  defaultText:
    'off in an app; optional in the stand-alone server, but off if there is a signingKey ' +
    'and no key',
  help: 'whether users may or must have a second factor: off, optional or required',
  environment: ['KEYSTILE_SECOND_FACTOR'],
}

const secondFactorRoles: DefaultedSetting<'secondFactorRoles', readonly string[]> = {
  name: 'secondFactorRoles',
  takenBy: 'both',
  schema: z.array(z.string({ error: 'must be the name of a role' }), {
    error: 'must be a list of roles',
  }),
  default: [],
  help: 'roles whose users must have a second factor, if secondFactor is optional',
  environment: ['KEYSTILE_SECOND_FACTOR_ROLES'],
  parse: parseList,
  excludedBy: 'users',
  findFaults: (names, { values, unread }, say) => [
    ...names
      .filter((name) => !unread.has('roles') && !isRole(name, values))
      .map((name) => `must list declared roles; it has ${show(name)}, which is not in roles`),
    ...(names.length > 0 && isOff({ values, unread })
      ? [`must be empty while secondFactor is off. Fix: ${say.set('secondFactor', 'optional')}`]
      : []),
  ],
}

function isRole(name: string, values: Values): boolean {
  return name === adminRole || Object.hasOwn(values['roles'] ?? {}, name)
}

/**
 * Limits the set-up of a factor: its secrets and first codes per session, and new recovery codes
 * per user. A caller gains nothing, but a secret costs a QR code, and the others a write or an
 * audit entry.
 */
export const enrolmentRate: LimitRate = {
  name: 'factor-enrolment',
  burst: 20,
  intervalMilliseconds: 10 * minuteMilliseconds,
}

/** Second factors: their endpoints, commands and settings. */
export const feature: Feature<
  FactorOptions & FactorRoleOptions,
  FactorEvent,
  RuleOptions,
  Options
> = {
  name: 'factors',
  settings: listSettings<FactorOptions & FactorRoleOptions>({ secondFactor, secondFactorRoles }),
  rules,
  rates: [enrolmentRate],
  auditEvents,
  cliCommands,
}
