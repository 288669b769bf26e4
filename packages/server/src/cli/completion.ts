import { tokenCheckFlags } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { secondWords } from './command.ts'
import { settingFlags } from './setting-flags.ts'

/** The words of a command, and the flags that a shell can complete after these words. */
interface FlagsOfCommand {
  readonly words: string
  readonly flags: readonly string[]
}

/** A first word, such as `user`, and the words that may follow it. */
type Words = readonly [first: string, seconds: readonly string[]]

/**
 * Returns a script that completes commands and flags in a shell.
 *
 * @throws {ConfigurationError} if the shell is not bash, zsh or fish
 */
export function completionScript(shell: string, commands: readonly CliCommand<never>[]): string {
  const forSettings = settingFlags.flatMap(({ flag }) => flag ?? [])
  const firsts = [...new Set(commands.map(({ words: [first] }) => first))]
  // The package keystile has the command `token check`.
  const words: readonly Words[] = [
    ...firsts.map((first) => [first, secondWords(first, commands)] as const),
    ['token', ['check']],
  ]
  const flags: readonly FlagsOfCommand[] = [
    ...commands.map((command) => ({
      words: command.words.join(' '),
      flags: [
        ...flagsIn(command.flags ?? {}),
        ...(command.takesSettings === false ? [] : forSettings),
      ],
    })),
    { words: 'token check', flags: flagsIn(tokenCheckFlags) },
  ]

  switch (shell) {
    case 'bash':
      return bashScript(words, flags)
    case 'zsh':
      return `#compdef keystile
autoload -U +X bashcompinit && bashcompinit
${bashScript(words, flags)}`
    case 'fish':
      return fishScript(words, flags)
    default:
      throw new ConfigurationError('the shell must be bash, zsh or fish')
  }
}

function flagsIn(flags: object): readonly string[] {
  return Object.keys(flags).map((flag) => `--${flag}`)
}

function bashScript(words: readonly Words[], commands: readonly FlagsOfCommand[]): string {
  const secondCases = words
    .filter(([, seconds]) => seconds.length > 0)
    .map(([first, seconds]) => `    2:${first}) words="${seconds.join(' ')}" ;;`)
  const flagCases = commands.map(
    (command) => `      "${command.words}"*) words="${command.flags.join(' ')}" ;;`,
  )

  return `_keystile() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=""
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) words="${words.map(([first]) => first).join(' ')}" ;;
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

function fishScript(words: readonly Words[], commands: readonly FlagsOfCommand[]): string {
  const afterWord = (word: string | undefined): string =>
    `complete -c keystile -n "__fish_seen_subcommand_from ${word}"`

  return [
    ...words.map(([first]) => `complete -c keystile -n "__fish_use_subcommand" -f -a ${first}`),
    ...words.flatMap(([first, seconds]) =>
      seconds.map((second) => `${afterWord(first)} -f -a ${second}`),
    ),
    ...commands.flatMap((command) => {
      const last = command.words.split(' ').at(-1)
      return command.flags.map((flag) => `${afterWord(last)} -l ${flag.slice('--'.length)}`)
    }),
  ].join('\n')
}
