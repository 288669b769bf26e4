import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../../../feature/setting.ts'
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import { auditEvents, type FactorEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'
import { rules, type RuleOptions } from './rules.ts'

export interface FactorOptions {
  /**
   * Whether users may set up a second factor. `off`: they cannot; a factor that exists is still
   * asked for. `optional`: each user decides. Default: `off`, because a login form without a field
   * for the code would lock people out.
   */
  readonly secondFactor?: 'off' | 'optional'
}

const secondFactor: DefaultedSetting<'secondFactor', 'off' | 'optional'> = {
  name: 'secondFactor',
  takenBy: 'both',
  schema: z.enum(['off', 'optional'], { error: 'must be off or optional' }),
  default: 'off',
  help: 'whether users may set up a second factor: off or optional',
  environment: ['KEYSTILE_SECOND_FACTOR'],
}

/**
 * Limits first codes of a new authenticator app, per user. A wrong code gains nothing, but each one
 * costs a write.
 */
export const enrolmentRate: LimitRate = {
  name: 'factor-enrolment',
  burst: 20,
  intervalMilliseconds: 10 * minuteMilliseconds,
}

/** Second factors: their endpoints, commands and settings. */
export const feature: Feature<FactorOptions, FactorEvent, RuleOptions, Options> = {
  name: 'factors',
  settings: listSettings<FactorOptions>({ secondFactor }),
  rules,
  rates: [enrolmentRate],
  auditEvents,
  cliCommands,
}
