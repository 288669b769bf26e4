// The command line. The program `keystile` starts in packages/keystile/src/cli/main.ts: `token
// check` runs there, and all else in `main.ts` of this folder. `commands.ts` lists the commands:
// those of this folder and those of the features. `parse-call.ts` parses the arguments of one, and
// `call.ts` makes what its code gets. `settings.ts` reads the settings from all of their sources
// (`sources.ts`).
import { inspect } from 'node:util'
import { findNearest } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import { requireNode } from '../base/node-version.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { createCall } from './call.ts'
import { commands } from './commands.ts'
import { helpOfCommands } from './help.ts'
import type { ProcessTerminal } from './terminal.ts'
import { secondWords } from './usage.ts'

/**
 * Finds the command that the arguments name and runs it. If the command fails, prints the error and
 * makes the process end with exit code 1. If the operator can fix the error, prints one sentence.
 * If not, prints the error with its stack.
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: ProcessTerminal,
): Promise<void> {
  try {
    requireNode()
    await runCommand(args, terminal)
  } catch (error) {
    const explanation = findExplanation(error)
    terminal.printError(explanation === undefined ? inspect(error) : `keystile: ${explanation}`)
    terminal.fail()
  }
}

async function runCommand(args: readonly string[], terminal: ProcessTerminal): Promise<void> {
  const topic = findTopic(args)
  if (topic) return terminal.print(helpAbout(topic))

  const typed = withoutShorthand(args)
  const command = commands.find(({ words }) => words.every((word, i) => typed[i] === word))
  if (!command) throw new ConfigurationError(unknownCommand(typed))

  const call = createCall(command, typed.slice(command.words.length), terminal)
  const run = await command.load()
  await run(call)
}

/**
 * Returns the words after `help`, or beside `--help`, such as `user create`: the help shows the
 * commands that begin with them. Undefined if no help is wanted, or the help of all commands.
 */
function findTopic(args: readonly string[]): readonly string[] | undefined {
  const isHelp = args[0] === 'help'
  const words = (isHelp ? args.slice(1) : args).filter(isWord)
  const isWanted = hasHelpFlag(args) || (isHelp && isWord(args[1]))
  return isWanted && words.length > 0 ? words : undefined
}

/** Returns `help` for `--help` or no arguments, and `version` for `--version`. */
function withoutShorthand(args: readonly string[]): readonly string[] {
  if (args.length === 0 || hasHelpFlag(args)) return ['help']
  const [first, ...others] = args
  return first === '--version' ? ['version', ...others] : args
}

function hasHelpFlag(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}

/** Whether there is an argument and it is not a flag. */
function isWord(argument: string | undefined): argument is string {
  return argument !== undefined && !argument.startsWith('-')
}

function helpAbout(topic: readonly string[]): string {
  const found = commands.filter(({ words }) => isAbout(words, topic))
  if (found.length === 0) throw new ConfigurationError(unknownCommand(topic))
  return helpOfCommands(found)
}

/** Whether the help of a command belongs to words such as `user`, or `user create ada`. */
function isAbout(words: CliCommand<never>['words'], topic: readonly string[]): boolean {
  return words.every((word, i) => topic[i] === undefined || topic[i] === word)
}

function unknownCommand([first = '', second = '']: readonly string[]): string {
  const seconds = secondWords(first, commands)
  if (seconds.length > 0)
    return `${first} must be followed by one of ${seconds.join(', ')}${fixFor(second, seconds)}`

  const firsts = commands.map(({ words }) => words[0])
  return `there is no command "${first}"${fixFor(first, firsts)}`
}

/**
 * Returns the end of a message about an unknown word. It proposes the known word with the most
 * similar spelling, or `keystile help` if no known word is similar.
 */
function fixFor(word: string, known: readonly string[]): string {
  const nearest = findNearest(word, known)
  return nearest === undefined ? '; see keystile help' : `. Fix: write ${nearest}`
}

/** Returns the message of an error that the operator can fix, or `undefined` for a bug. */
function findExplanation(error: unknown): string | undefined {
  if (error instanceof ConfigurationError || error instanceof DatabaseUnavailableError)
    return error.message

  const { code, message, syscall } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return `${message}. Fix: stop the program that uses the port, or choose a free port with --port`
  if (code === 'EACCES' && syscall === 'listen')
    return `${message}. Fix: choose a port above 1023 with --port, and let a proxy use this port`
  // The message of Node names the file that this process may not use.
  return code === 'EACCES' ? message : undefined
}
