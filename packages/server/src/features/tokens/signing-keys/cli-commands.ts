import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'

/** The `keystile key` commands. They use the database directly, whether or not a server runs. */
export const cliCommands: readonly CliCommand<Call<Options>>[] = [
  {
    words: ['key', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary:
      'list the signing keys in the database: id, algorithm, creation time, state, and the ' +
      'times between which the key signs',
    load: async () => (await import('./cli.ts')).list,
  },
  {
    words: ['key', 'rotate'],
    flags: { json: {} },
    takesSettings: true,
    summary: 'publish the next signing key now; it signs an hour later',
    load: async () => (await import('./cli.ts')).rotate,
  },
  {
    words: ['key', 'revoke'],
    operand: 'KID',
    flags: { json: {} },
    takesSettings: true,
    summary: 'delete a leaked signing key at once: all tokens that it signed are refused',
    load: async () => (await import('./cli.ts')).revoke,
  },
]
