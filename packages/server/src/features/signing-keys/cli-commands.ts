import type { Call, CliCommand } from '../../feature/cli-command.ts'

export const cliCommands: readonly CliCommand<Call<unknown>>[] = [
  {
    words: ['key', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'the signing keys in the database: id, algorithm, since when',
    load: async () => (await import('./cli.ts')).list,
  },
]
