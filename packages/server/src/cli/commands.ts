import { readVersion } from '../base/version.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { cliCommands } from '../server/features.ts'
import type { OwnCall } from './call.ts'

/** All commands, in the order of the help. */
export const commands: readonly CliCommand<OwnCall>[] = [
  {
    words: ['serve'],
    takesSettings: true,
    summary: 'run the server until SIGTERM or SIGINT',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    words: ['migrate'],
    flags: { check: {}, print: {} },
    takesSettings: 'withoutKey',
    summary:
      'create or upgrade the tables of the database; does not start the server; --check only ' +
      'says which migrations are missing, and exits with 1 if there are any; --print only prints ' +
      'their SQL',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  ...cliCommands,
  {
    words: ['config', 'check'],
    takesSettings: true,
    summary: 'check whether the settings are complete and safe; does not start the server',
    load: async () => (await import('./config-check.ts')).checkConfiguration,
  },
  {
    words: ['doctor'],
    flags: { json: {} },
    takesSettings: true,
    summary:
      'check settings, files, database and clock, and print how to fix what is unsafe; ' +
      'exits with 1 if a start would be refused',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    words: ['completion'],
    operand: 'bash|zsh|fish',
    takesSettings: false,
    summary: 'print a completion script for a shell',
    async load() {
      const { completionScript } = await import('./completion.ts')
      return ({ operand, terminal }) => terminal.print(completionScript(operand, commands))
    },
  },
  {
    words: ['version'],
    takesSettings: false,
    summary: 'print the version',
    load:
      async () =>
      ({ terminal }) =>
        terminal.print(readVersion()),
  },
  {
    words: ['help'],
    takesSettings: false,
    summary: 'print all commands and settings; "help user" prints only the commands of users',
    async load() {
      const { wholeHelp } = await import('./help.ts')
      return ({ terminal }) => terminal.print(wholeHelp(commands, terminal))
    },
  },
]
