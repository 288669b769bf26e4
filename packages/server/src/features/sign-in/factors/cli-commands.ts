import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'

/** The `keystile user` commands about second factors. `cli.ts` is loaded only to run one. */
export const cliCommands: readonly CliCommand<Call<Options>>[] = [
  {
    words: ['user', 'factors'],
    operand: 'NAME',
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'show the second factors of a user',
    load: async () => (await import('./cli.ts')).show,
  },
  {
    words: ['user', 'reset-factors'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary:
      'remove the second factors of a user who has lost them, and end all sessions of the user; ' +
      'make sure first that the person is the owner',
    load: async () => (await import('./cli.ts')).reset,
  },
]
