import { inspect } from 'node:util'
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { createCall } from './call.ts'
import { commands } from './commands.ts'
import { createTerminal, type ProcessTerminal } from './terminal.ts'

async function main(args: readonly string[], terminal: ProcessTerminal): Promise<void> {
  const asksHelp = args.length === 0 || args.includes('--help') || args.includes('-h')
  const wanted = asksHelp ? ['help'] : args[0] === '--version' ? ['version'] : args
  const command = commands.find(({ words }) => words.every((word, i) => wanted[i] === word))
  if (!command) throw new ConfigurationError(unknownCommand(wanted))
  const call = createCall(command, asksHelp ? [] : args.slice(command.words.length), terminal)
  const run = await command.load()
  await run(call)
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
  if (error instanceof ConfigurationError || error instanceof DatabaseUnavailableError)
    return message
  if (code === 'EADDRINUSE')
    return `${message}. Is another Keystile running? Choose another one with --port`
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
