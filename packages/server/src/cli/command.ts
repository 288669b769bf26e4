import { parseArgs } from 'node:util'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Call, CallFlags, CliCommand } from '../feature/cli-command.ts'
import type { Situation } from '../feature/situation.ts'
import type { RuleOptions } from '../server/features.ts'
import type { CheckedOptions } from '../server/options.ts'
import { settingFlags, type Settings } from './settings.ts'

/** A call, with what only the commands of this room ask for. */
export interface OwnCall extends Call<CheckedOptions> {
  settings(): Promise<Settings>
  /** The settings as safety rules look at them, whatever is wrong. */
  situation(): Promise<Situation<RuleOptions>>
}

export function usageOf({ words, operand, flags = {} }: CliCommand<never>): string {
  const shown = Object.entries(flags).map(
    ([name, { value }]) => `[--${name}${value ? ` ${value}` : ''}]`,
  )
  return [...words, ...(operand ? [operand] : []), ...shown].join(' ')
}

/**
 * @throws {ConfigurationError} for a flag that does not exist or lacks its value, and for too many
 *   or too few operands
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
    throw new ConfigurationError(`expected: keystile ${usageOf(command)}`)
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
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options: { ...options }, allowPositionals: true })
  } catch (error) {
    const { message } = error as Error
    throw new ConfigurationError(message.split('. ')[0])
  }
}
