import type { CliCommand } from '../feature/cli-command.ts'
import { cliCommands } from '../server/features.ts'
import { readVersion } from '../server/version.ts'
import type { OwnCall } from './command.ts'

/** All commands, in the order in which help lists them. */
export const commands: readonly CliCommand<OwnCall>[] = [
  {
    words: ['serve'],
    takesSettings: true,
    summary: 'run the server until it is told to stop',
    load: async () => (await import('./serve.ts')).serve,
  },
  ...cliCommands,
  {
    words: ['config', 'check'],
    takesSettings: true,
    summary: 'say whether the settings are complete and safe, and start nothing',
    load: async () => (await import('./config-check.ts')).checkConfiguration,
  },
  {
    words: ['doctor'],
    flags: { json: {} },
    takesSettings: true,
    summary:
      'what is unsafe about settings, files, database and clock, and how to fix it; 1 when a start would be refused',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    words: ['completion'],
    operand: 'bash|zsh|fish',
    takesSettings: false,
    summary: 'print a script that completes commands and flags',
    async load() {
      const { completionScript } = await import('./help.ts')
      return ({ operand, terminal }) => terminal.print(completionScript(operand, commands))
    },
  },
  {
    words: ['version'],
    takesSettings: false,
    summary: 'which version this is',
    load:
      async () =>
      ({ terminal }) =>
        terminal.print(readVersion()),
  },
  {
    words: ['help'],
    takesSettings: false,
    summary: 'this text',
    async load() {
      const { helpText } = await import('./help.ts')
      return ({ terminal }) => terminal.print(helpText(commands, terminal))
    },
  },
]
