import type { Feature } from '../../feature/feature.ts'
import { secondMilliseconds, type LimitRate } from '../../feature/limit-rate.ts'
import { auditEvents, type InvitationEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'

/** Limits refused invitations, per IP address. */
export const acceptRate: LimitRate = {
  name: 'invitation',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

/** Accounts for people whom an operator or the app has invited. */
export const feature: Feature<object, InvitationEvent, unknown, Options> = {
  name: 'invitations',
  auditEvents,
  rates: [acceptRate],
  cliCommands,
}
