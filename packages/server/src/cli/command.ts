import { parseArgs } from 'node:util'
import { joinValues, unknownFlag, type FlagTypes } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Call, CallFlags, CliCommand } from '../feature/cli-command.ts'
import type { Situation } from '../feature/situation.ts'
import type { RuleOptions } from '../server/features.ts'
import type { CheckedOptions } from '../server/options.ts'
import { settingFlags, type Settings } from './settings.ts'
import type { ProcessTerminal } from './terminal.ts'

/**
 * The argument of the commands in `cli/`. It extends `Call`, the argument of the commands that
 * features define.
 */
export interface OwnCall extends Call<CheckedOptions> {
  readonly terminal: ProcessTerminal
  settings(): Promise<Settings>
  /**
   * Reads all settings and returns what the safety rules check. Does not throw if a setting has a
   * fault: the result lists the faults.
   */
  situation(): Promise<Situation<RuleOptions>>
}

/**
 * Returns how the help shows a command, such as `user set-password NAME [--password-file FILE]`.
 */
export function usageOf({ words, operand, flags = {} }: CliCommand<never>): string {
  const shown = Object.entries(flags).map(
    ([name, { value }]) => `[--${name}${value ? ` ${value}` : ''}]`,
  )
  return [...words, ...(operand ? [operand] : []), ...shown].join(' ')
}

export function secondWords(
  first: string,
  commands: readonly CliCommand<never>[],
): readonly string[] {
  return commands.flatMap(({ words: [word, second] }) =>
    word === first && second !== undefined ? [second] : [],
  )
}

/**
 * Parses the arguments of a command. Does NOT check the values of settings.
 *
 * @throws {ConfigurationError} for an unknown flag, a flag without its value, or a wrong number of
 *   operands
 */
export function parseCall(
  command: CliCommand<never>,
  args: readonly string[],
): {
  readonly operand: string
  readonly values: Readonly<Record<string, unknown>>
  readonly flags: CallFlags
} {
  const own = Object.entries(command.flags ?? {}).map(
    ([name, { value, isList = false }]) =>
      [name, { type: value ? 'string' : 'boolean', multiple: isList }] as const,
  )
  const settings =
    command.takesSettings === false ? [] : settingFlags.flatMap(({ flag }) => flag ?? [])
  const general = settings.map((flag) => [flag.slice('--'.length), { type: 'string' }] as const)

  const { values, positionals } = parse(args, Object.fromEntries([...general, ...own]))
  if (positionals.length !== (command.operand ? 1 : 0))
    throw new ConfigurationError(`the command must be: keystile ${usageOf(command)}`)

  return {
    operand: positionals[0] ?? '',
    values,
    flags: {
      has: (flag) => values[flag] === true,
      value: (flag) => values[flag] as string | undefined,
      list: (flag) => (values[flag] ?? []) as readonly string[],
    },
  }
}

function parse(
  args: readonly string[],
  options: FlagTypes,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    const call = {
      args: [...withIdsLast(joinValues(args, options))],
      options: { ...options },
      allowPositionals: true,
    }
    for (const token of parseArgs({ ...call, strict: false, tokens: true }).tokens) {
      if (token.kind === 'option' && !Object.hasOwn(options, token.name))
        throw new ConfigurationError(unknownFlag(token.rawName, Object.keys(options)))
    }
    return parseArgs(call)
  } catch (error) {
    throw new ConfigurationError((error as Error).message)
  }
}

/**
 * Moves ids to the end, after `--`. An id is random, so it may begin with a hyphen, and Node needs
 * `--` before such an operand.
 */
function withIdsLast(args: readonly string[]): readonly string[] {
  const isId = (arg: string): boolean => /^-[^-][\w-]{18,}$/.test(arg)
  const ids = args.filter(isId)
  return ids.length > 0 && !args.includes('--')
    ? [...args.filter((arg) => !isId(arg)), '--', ...ids]
    : args
}
