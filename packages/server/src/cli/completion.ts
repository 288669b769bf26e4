import { tokenCheckFlags } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { secondWords } from './command.ts'
import { settingFlags } from './settings.ts'

/** The words of a command, and the flags that a shell can complete after these words. */
interface Row {
  readonly words: string
  readonly flags: readonly string[]
}

type Step = readonly [first: string, seconds: readonly string[]]

/**
 * Returns a script that completes commands and flags in a shell.
 *
 * @throws {ConfigurationError} if the shell is not bash, zsh or fish
 */
export function completionScript(shell: string, commands: readonly CliCommand<never>[]): string {
  const general = settingFlags.flatMap(({ flag }) => flag ?? [])
  const rows = [
    ...commands.map(({ words, flags = {}, takesSettings }) => ({
      words: words.join(' '),
      flags: [
        ...Object.keys(flags).map((flag) => `--${flag}`),
        ...(takesSettings !== false ? general : []),
      ],
    })),
    { words: 'token check', flags: Object.keys(tokenCheckFlags).map((flag) => `--${flag}`) },
  ]
  const firsts = [...new Set(commands.map(({ words: [first] }) => first))]
  const steps = [
    ...firsts.map((first) => [first, secondWords(first, commands)] as const),
    ['token', ['check']] as const, // the package keystile has this command
  ]

  switch (shell) {
    case 'bash':
      return bashScript(steps, rows)
    case 'zsh':
      return `#compdef keystile
autoload -U +X bashcompinit && bashcompinit
${bashScript(steps, rows)}`
    case 'fish':
      return fishScript(steps, rows)
    default:
      throw new ConfigurationError('the shell must be bash, zsh or fish')
  }
}

function bashScript(steps: readonly Step[], rows: readonly Row[]): string {
  const secondCases = steps
    .filter(([, seconds]) => seconds.length > 0)
    .map(([first, seconds]) => `    2:${first}) words="${seconds.join(' ')}" ;;`)
  const flagCases = rows.map(
    ({ words, flags }) => `      "${words}"*) words="${flags.join(' ')}" ;;`,
  )

  return `_keystile() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=""
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) words="${steps.map(([first]) => first).join(' ')}" ;;
${secondCases.join('\n')}
  esac
  if [ -z "$words" ]; then
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${flagCases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _keystile keystile`
}

function fishScript(steps: readonly Step[], rows: readonly Row[]): string {
  const afterWord = (word: string | undefined): string =>
    `complete -c keystile -n "__fish_seen_subcommand_from ${word}"`

  return [
    ...steps.map(([first]) => `complete -c keystile -n "__fish_use_subcommand" -f -a ${first}`),
    ...steps.flatMap(([first, seconds]) =>
      seconds.map((second) => `${afterWord(first)} -f -a ${second}`),
    ),
    ...rows.flatMap(({ words, flags }) =>
      flags.map((flag) => `${afterWord(words.split(' ').at(-1))} -l ${flag.slice('--'.length)}`),
    ),
  ].join('\n')
}
