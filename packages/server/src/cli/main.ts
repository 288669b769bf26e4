import { inspect } from 'node:util'
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { auditCommand } from './audit.ts'
import { parseCall, type Command } from './command.ts'
import { clientCommands } from './client.ts'
import { doctorCommand } from './doctor.ts'
import { completionScript, helpText } from './help.ts'
import { keyCommands } from './key.ts'
import { serveCommand } from './serve.ts'
import { readSettings, readSituation } from './settings.ts'
import { examine } from '../configuration/examination.ts'
import { rules } from '../server/rules.ts'
import { readVersion } from '../server/version.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { tuneCommand } from './tune.ts'
import { userCommands } from './user.ts'

const commands: readonly Command[] = [
  serveCommand,
  ...userCommands,
  ...clientCommands,
  ...keyCommands,
  tuneCommand,
  auditCommand,
  {
    words: ['config', 'check'],
    takesSettings: true,
    summary: 'say whether the settings are complete and safe, and start nothing',
    async run({ settings, terminal }) {
      const { options, hosts, port } = await settings()
      for (const { rule, about, message } of examine(options.situation, rules).warnings)
        terminal.print(`warning: ${about} ${message} (${rule.id}, ${rule.standard})`)
      terminal.print(`the settings are fine: ${options.issuer}, listening on ${hosts.join(' and ')}, port ${port}`)
    },
  },
  doctorCommand,
  {
    words: ['completion'],
    operand: 'bash|zsh|fish',
    takesSettings: false,
    summary: 'print a script that completes commands and flags',
    run: ({ operand, terminal }) => terminal.print(completionScript(operand, commands)),
  },
  {
    words: ['version'],
    takesSettings: false,
    summary: 'which version this is',
    run: ({ terminal }) => terminal.print(readVersion()),
  },
  {
    words: ['help'],
    takesSettings: false,
    summary: 'this text',
    run: ({ terminal }) => terminal.print(helpText(commands, terminal)),
  },
]

async function main(args: readonly string[], terminal: Terminal): Promise<void> {
  const asksHelp = args.length === 0 || args.includes('--help') || args.includes('-h')
  const wanted = asksHelp ? ['help'] : args[0] === '--version' ? ['version'] : args
  const command = commands.find(({ words }) => words.every((word, i) => wanted[i] === word))
  if (!command) throw new ConfigurationError(unknownCommand(wanted))
  const { operand, values, flags } = parseCall(command, asksHelp ? [] : args.slice(command.words.length))
  await command.run({
    operand,
    flags,
    terminal,
    settings: () => readSettings(values, terminal.environment, command.takesSettings === true),
    situation: () => readSituation(values, terminal.environment),
  })
}

function unknownCommand([first = '']: readonly string[]): string {
  const seconds = commands.filter(({ words }) => words[0] === first).map(({ words }) => words[1])
  return seconds.length > 0
    ? `${first} takes one of ${seconds.join(', ')}; see keystile help`
    : `there is no command "${first}"; see keystile help`
}

/** What a person did or can mend, in its own words; `undefined` for a bug. */
function findExplanation(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof ConfigurationError || error instanceof DatabaseUnavailableError) return message
  if (code === 'EADDRINUSE') return `${message}. Is another Keystile running? Choose another one with --port`
  return code === 'EACCES' ? message : undefined
}

const terminal = createTerminal()
try {
  await main(process.argv.slice(2), terminal)
} catch (error) {
  const explanation = findExplanation(error)
  terminal.printError(explanation === undefined ? inspect(error) : `keystile: ${explanation}`)
  process.exitCode = 1
}
