import { DatabaseUnavailableError } from '../storage/database.ts'
import { parseCall, type Command } from './command.ts'
import { completionScript, helpText } from './help.ts'
import { keyCommands } from './key.ts'
import { serveCommand } from './serve.ts'
import { readSettings } from './settings.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { userCommands } from './user.ts'

const commands: readonly Command[] = [
  serveCommand,
  ...userCommands,
  ...keyCommands,
  {
    words: ['config', 'check'],
    takesSettings: true,
    summary: 'say whether the settings are complete and safe, and start nothing',
    async run({ settings, terminal }) {
      const { options, hosts, port } = await settings()
      terminal.print(`the settings are fine: ${options.issuer}, listening on ${hosts.join(' and ')}, port ${port}`)
    },
  },
  {
    words: ['completion'],
    operand: 'bash|zsh|fish',
    takesSettings: false,
    summary: 'print a script that completes commands and flags',
    run: ({ operand, terminal }) => terminal.print(completionScript(operand, commands)),
  },
  {
    words: ['help'],
    takesSettings: false,
    summary: 'this text',
    run: ({ terminal }) => terminal.print(helpText(commands, terminal)),
  },
]

async function main(args: readonly string[], terminal: Terminal): Promise<void> {
  const wanted = args.length === 0 || args[0] === '--help' || args[0] === '-h' ? ['help'] : args
  const command = commands.find(({ words }) => words.every((word, i) => wanted[i] === word))
  if (!command) throw new TypeError(unknownCommand(wanted))
  const { operand, values, flags } = parseCall(command, wanted.slice(command.words.length))
  await command.run({ operand, flags, terminal, settings: () => readSettings(values, terminal.environment) })
}

function unknownCommand([first = '']: readonly string[]): string {
  const seconds = commands.filter(({ words }) => words[0] === first).map(({ words }) => words[1])
  return seconds.length > 0
    ? `${first} takes one of ${seconds.join(', ')}; see keystile help`
    : `there is no command "${first}"; see keystile help`
}

try {
  await main(process.argv.slice(2), createTerminal())
} catch (error) {
  // What a person did or can mend is said in its own words; anything else is a bug and shows where it is.
  const { code, message } = error as NodeJS.ErrnoException
  const isTheirs =
    error instanceof TypeError ||
    error instanceof DatabaseUnavailableError ||
    code === 'EADDRINUSE' ||
    code === 'EACCES'
  console.error(isTheirs ? `keystile: ${message.replace(/^keystile /i, '')}` : error)
  process.exitCode = 1
}
