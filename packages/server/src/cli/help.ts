import type { CliCommand } from '../feature/cli-command.ts'
import type { Terminal } from '../feature/terminal.ts'
import { settingFlags } from './setting-flags.ts'
import { usageOf } from './usage.ts'

/** Returns the whole help: all commands and all settings. */
export function wholeHelp(
  commands: readonly CliCommand<never>[],
  { bold }: Pick<Terminal, 'bold'>,
): string {
  return [
    'Keystile: accounts, sessions and keys behind POST /token',
    '',
    bold('Commands'),
    ...commands.map(lineOf),
    '',
    bold('Settings'),
    '  Flags win over the environment, and the environment wins over the configuration file.',
    '  A variable whose name ends with _FILE holds the path of a file with the value.',
    '',
    ...settingFlags.map(({ flag, environment, summary }) =>
      inColumns([...(flag === undefined ? [] : [flag]), ...environment].join(', '), summary),
    ),
  ].join('\n')
}

/** Returns the help of some commands, without the list of settings. */
export function helpOfCommands(commands: readonly CliCommand<never>[]): string {
  const takeSettings = commands.some(({ takesSettings }) => takesSettings !== false)
  return [
    ...commands.map(lineOf),
    ...(takeSettings
      ? ['', 'Each setting is also a flag, such as --database: see "keystile help"']
      : []),
  ].join('\n')
}

function lineOf(command: CliCommand<never>): string {
  return inColumns(usageOf(command), command.summary)
}

/** The width of the left column. A longer text gets a line of its own. */
const width = 30

function inColumns(left: string, right: string): string {
  return left.length < width
    ? `  ${left.padEnd(width)}  ${right}`
    : `  ${left}\n  ${' '.repeat(width)}  ${right}`
}
