import type { Feature } from '../../../feature/feature.ts'
import { secondMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import { auditEvents, type InvitationEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'

/** Limits how many wrong links and codes of invitations one IP address can send. */
export const acceptRate: LimitRate = {
  name: 'invitation',
  burst: 100,
  intervalMilliseconds: 30 * secondMilliseconds,
  isGivenBackWhole: true,
}

/** Invitations: an operator or the app invites a person, who then creates an account. */
export const feature: Feature<object, InvitationEvent, unknown, Options> = {
  name: 'invitations',
  auditEvents,
  rates: [acceptRate],
  cliCommands,
}
