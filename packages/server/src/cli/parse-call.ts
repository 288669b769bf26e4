import { parseArgs } from 'node:util'
import { joinValues, unknownFlag, type FlagTypes } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CallFlags, CliCommand } from '../feature/cli-command.ts'
import { settingFlags } from './setting-flags.ts'
import { usageOf } from './usage.ts'

/** What an operator typed after the words of a command. */
export interface ParsedCall {
  readonly operand: string
  /** The flags of the command itself. */
  readonly flags: CallFlags
  /** The values of all flags, by their names without hyphens: also of those for settings. */
  readonly values: Readonly<Record<string, unknown>>
}

/**
 * Parses the arguments of a command. Does NOT check the values of settings.
 *
 * @throws {ConfigurationError} for an unknown flag, a flag without its value, or a wrong number of
 *   operands
 */
export function parseCall(command: CliCommand<never>, args: readonly string[]): ParsedCall {
  const { values, positionals } = parse(args, flagTypesOf(command))
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

/** Returns the flags that a command accepts, without hyphens: its own, and those of settings. */
function flagTypesOf({ flags = {}, takesSettings }: CliCommand<never>): FlagTypes {
  const settings = takesSettings === false ? [] : settingFlags.flatMap(({ flag }) => flag ?? [])
  const general = settings.map((flag) => [flag.slice('--'.length), { type: 'string' }] as const)
  const own = Object.entries(flags).map(
    ([name, { value, isList = false }]) =>
      [name, { type: value ? 'string' : 'boolean', multiple: isList }] as const,
  )
  return Object.fromEntries([...general, ...own])
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
    // Node would refuse an unknown flag too, but would not propose a similar one.
    for (const token of parseArgs({ ...call, strict: false, tokens: true }).tokens) {
      if (token.kind === 'option' && !Object.hasOwn(options, token.name))
        throw new TypeError(unknownFlag(token.rawName, Object.keys(options)))
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
  const ids = args.filter(isIdWithHyphen)
  if (ids.length === 0 || args.includes('--')) return args
  return [...args.filter((arg) => !isIdWithHyphen(arg)), '--', ...ids]
}

/** Whether an argument is an id such as `-mK3_9dQx7Rr0vV2bZc`: no flag is as long. */
function isIdWithHyphen(arg: string): boolean {
  return /^-[^-][\w-]{18,}$/.test(arg)
}
