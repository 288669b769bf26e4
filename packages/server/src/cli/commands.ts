import type { CliCommand } from '../feature/cli-command.ts'
import { cliCommands } from '../server/features.ts'
import { inOrder } from '../server/in-order.ts'
import { readVersion } from '../server/version.ts'
import type { OwnCall } from './command.ts'

/** The order of the commands of features, by their first words. Those not named here come last. */
const order = ['user', 'client', 'key', 'tune', 'audit']

/** All commands, in the order in which help lists them. */
export const commands: readonly CliCommand<OwnCall>[] = [
  {
    words: ['serve'],
    takesSettings: true,
    summary: 'run the server until it is told to stop',
    load: async () => (await import('./serve.ts')).serve,
  },
  ...inOrder(cliCommands, order, ({ words: [first] }) => first),
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
      'what is unsafe about settings, files, database and clock, and what mends it; 1 when a start would be refused',
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
