// How commands are written: for the help, the completion and messages.
import type { CliCommand } from '../feature/cli-command.ts'

/**
 * Returns how the help shows a command, such as `user set-password NAME [--password-file FILE]`.
 */
export function usageOf({ words, operand, flags = {} }: CliCommand<never>): string {
  const shown = Object.entries(flags).map(
    ([name, { value }]) => `[--${name}${value ? ` ${value}` : ''}]`,
  )
  return [...words, ...(operand ? [operand] : []), ...shown].join(' ')
}

/** Returns the second words of the commands that begin with `first`: `create`, … for `user`. */
export function secondWords(
  first: string,
  commands: readonly CliCommand<never>[],
): readonly string[] {
  return commands.flatMap(({ words: [word, second] }) =>
    word === first && second !== undefined ? [second] : [],
  )
}
