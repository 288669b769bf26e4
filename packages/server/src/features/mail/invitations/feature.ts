import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Feature } from '../../../feature/feature.ts'
import { auditEvents, type InvitationEvent } from './audit-events.ts'
import type { Options } from './cli.ts'
import { acceptRate } from './rates.ts'

const cliCommands: readonly CliCommand<Call<Options>>[] = [
  {
    words: ['user', 'invite'],
    operand: 'EMAIL',
    flags: { role: { value: 'R', isList: true }, scope: { value: 'S', isList: true } },
    takesSettings: true,
    summary: 'invite a person by mail to create an account; a running server sends the mail',
    load: async () => (await import('./cli.ts')).invite,
  },
  {
    words: ['user', 'invitations'],
    flags: { json: {} },
    takesSettings: true,
    summary: 'list the invitations that can still be accepted',
    load: async () => (await import('./cli.ts')).invitations,
  },
  {
    words: ['user', 'uninvite'],
    operand: 'EMAIL',
    takesSettings: 'withoutKey',
    summary: 'revoke an invitation that was not accepted',
    load: async () => (await import('./cli.ts')).uninvite,
  },
]

/** Invitations: an operator or the app invites a person, who then creates an account. */
export const feature: Feature<object, InvitationEvent, unknown, Options> = {
  name: 'invitations',
  auditEvents,
  rates: [acceptRate],
  cliCommands,
}
