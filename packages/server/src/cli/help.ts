import { ConfigurationError } from '../base/configuration-error.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import type { Terminal } from '../feature/terminal.ts'
import { usageOf } from './command.ts'
import { settingFlags } from './settings.ts'

/** What `keystile help` prints. */
export function helpText(
  commands: readonly CliCommand<never>[],
  { bold }: Pick<Terminal, 'bold'>,
): string {
  const width = 30
  const line = (left: string, right: string): string =>
    left.length < width
      ? `  ${left.padEnd(width)}  ${right}`
      : `  ${left}\n  ${' '.repeat(width)}  ${right}`
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
    '  Flags win over the environment, which wins over the file. A variable with _FILE behind it names a file that holds the value.',
    '',
    ...settings,
  ].join('\n')
}

/** A script that completes commands and flags. @throws {ConfigurationError} for another shell */
export function completionScript(shell: string, commands: readonly CliCommand<never>[]): string {
  const general = settingFlags.flatMap(({ flag }) => flag ?? [])
  const rows = commands.map((command) => ({
    words: command.words.join(' '),
    flags: [
      ...Object.keys(command.flags ?? {}).map((flag) => `--${flag}`),
      ...(command.takesSettings !== false ? general : []),
    ].join(' '),
  }))
  const firsts = [...new Set(commands.map(({ words: [first] }) => first))]
  const seconds = firsts.map(
    (first) =>
      [
        first,
        commands.flatMap(({ words: [word, second] }) =>
          word === first && second !== undefined ? [second] : [],
        ),
      ] as const,
  )
  switch (shell) {
    case 'bash':
      return `_keystile() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=""
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) words="${firsts.join(' ')}" ;;
${seconds
  .filter(([, next]) => next.length > 0)
  .map(([first, next]) => `    2:${first}) words="${next.join(' ')}" ;;`)
  .join('\n')}
  esac
  if [ -z "$words" ]; then
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${rows.map(({ words, flags }) => `      "${words}"*) words="${flags}" ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _keystile keystile`
    case 'zsh':
      return `#compdef keystile
autoload -U +X bashcompinit && bashcompinit
${completionScript('bash', commands)}`
    case 'fish':
      return [
        ...firsts.map((first) => `complete -c keystile -n "__fish_use_subcommand" -f -a ${first}`),
        ...seconds.flatMap(([first, next]) =>
          next.map(
            (word) =>
              `complete -c keystile -n "__fish_seen_subcommand_from ${first}" -f -a ${word}`,
          ),
        ),
        ...rows.flatMap(({ words, flags }) =>
          flags
            .split(' ')
            .filter((flag) => flag !== '')
            .map(
              (flag) =>
                `complete -c keystile -n "__fish_seen_subcommand_from ${words.split(' ').at(-1)}" -l ${flag.slice(2)}`,
            ),
        ),
      ].join('\n')
    default:
      throw new ConfigurationError('completion is for bash, zsh or fish')
  }
}
