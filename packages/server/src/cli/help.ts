import type { CliCommand } from '../feature/cli-command.ts'
import type { Terminal } from '../feature/terminal.ts'
import { usageOf } from './command.ts'
import { settingFlags } from './settings.ts'

const width = 30 // of the left column

function line(left: string, right: string): string {
  return left.length < width
    ? `  ${left.padEnd(width)}  ${right}`
    : `  ${left}\n  ${' '.repeat(width)}  ${right}`
}

/** Returns the help of some commands. */
export function helpTextOf(commands: readonly CliCommand<never>[]): string {
  return [
    ...commands.map((command) => line(usageOf(command), command.summary)),
    ...(commands.some(({ takesSettings }) => takesSettings !== false)
      ? ['', 'Each setting is also a flag, such as --database: see "keystile help"']
      : []),
  ].join('\n')
}

export function helpText(
  commands: readonly CliCommand<never>[],
  { bold }: Pick<Terminal, 'bold'>,
): string {
  const settings = settingFlags.map(({ flag, environment, summary }) => {
    const names = [...(flag === undefined ? [] : [flag]), ...environment]
    return line(names.join(', '), summary)
  })

  return [
    'Keystile: accounts, sessions and keys behind POST /token',
    '',
    bold('Commands'),
    ...commands.map((command) => line(usageOf(command), command.summary)),
    '',
    bold('Settings'),
    '  Flags win over the environment, and the environment wins over the configuration file.',
    '  A variable whose name ends with _FILE holds the path of a file with the value.',
    '',
    ...settings,
  ].join('\n')
}
