import { tokenCheckFlags } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { settingFlags } from './setting-flags.ts'
import { secondWords } from './usage.ts'

/** A first word, such as `user`, and the words that may follow it. */
type Words = readonly [first: string, seconds: readonly string[]]

/** The flags that may follow a command, such as `user create`. */
interface FlagsOfCommand {
  readonly command: string
  readonly flags: readonly string[]
}

/**
 * Returns a script that completes commands and flags in a shell.
 *
 * @throws {ConfigurationError} if the shell is not bash, zsh or fish
 */
export function completionScript(shell: string, commands: readonly CliCommand<never>[]): string {
  // The package keystile has the command `token check`.
  const words: readonly Words[] = [...wordsOf(commands), ['token', ['check']]]
  const flags: readonly FlagsOfCommand[] = [
    ...commands.map(flagsOfCommand),
    { command: 'token check', flags: flagsIn(tokenCheckFlags) },
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

function wordsOf(commands: readonly CliCommand<never>[]): readonly Words[] {
  const firsts = new Set(commands.map(({ words: [first] }) => first))
  return [...firsts].map((first) => [first, secondWords(first, commands)])
}

function flagsOfCommand({ words, flags = {}, takesSettings }: CliCommand<never>): FlagsOfCommand {
  const forSettings = takesSettings === false ? [] : settingFlags.flatMap(({ flag }) => flag ?? [])
  return { command: words.join(' '), flags: [...flagsIn(flags), ...forSettings] }
}

function flagsIn(flags: object): readonly string[] {
  return Object.keys(flags).map((flag) => `--${flag}`)
}

function bashScript(words: readonly Words[], flagsOfAll: readonly FlagsOfCommand[]): string {
  const secondCases = words
    .filter(([, seconds]) => seconds.length > 0)
    .map(([first, seconds]) => `    2:${first}) words="${seconds.join(' ')}" ;;`)
  const flagCases = flagsOfAll.map(
    ({ command, flags }) => `      "${command}"*) words="${flags.join(' ')}" ;;`,
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

function fishScript(words: readonly Words[], flagsOfAll: readonly FlagsOfCommand[]): string {
  const afterWord = (word: string | undefined): string =>
    `complete -c keystile -n "__fish_seen_subcommand_from ${word}"`

  return [
    ...words.map(([first]) => `complete -c keystile -n "__fish_use_subcommand" -f -a ${first}`),
    ...words.flatMap(([first, seconds]) =>
      seconds.map((second) => `${afterWord(first)} -f -a ${second}`),
    ),
    ...flagsOfAll.flatMap(({ command, flags }) => {
      const last = command.split(' ').at(-1)
      return flags.map((flag) => `${afterWord(last)} -l ${flag.slice('--'.length)}`)
    }),
  ].join('\n')
}
