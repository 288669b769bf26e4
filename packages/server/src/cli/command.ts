import { parseArgs } from 'node:util'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Terminal } from './terminal.ts'
import type { RuleOptions } from '../configuration/examination.ts'
import type { Situation } from '../feature/situation.ts'
import { settingFlags, type Settings } from './settings.ts'

/** A flag of one command. */
export interface Flag {
  /** What its value is called in the help; without one it takes none. */
  readonly value?: string
  /** It may be given several times. */
  readonly isList?: boolean
}

/** One thing that `keystile` does. Help and completion are made from these. */
export interface Command {
  readonly words: readonly [string, string?]
  /** The operand that it must have. */
  readonly operand?: string
  readonly flags?: Readonly<Record<string, Flag>>
  /** Whether settings are read, and their flags taken; `withoutKey` where no signing key is opened. */
  readonly takesSettings: boolean | 'withoutKey'
  readonly summary: string
  run(call: Call): void | Promise<void>
}

/** A command as it was called. */
export interface Call {
  readonly operand: string
  readonly flags: CallFlags
  readonly terminal: Terminal
  /** @throws {ConfigurationError} with all faults of the settings */
  settings(): Promise<Settings>
  /** The settings as rules look at them, whatever is wrong. */
  situation(): Promise<Situation<RuleOptions>>
}

export interface CallFlags {
  has(flag: string): boolean
  value(flag: string): string | undefined
  list(flag: string): readonly string[]
}

export function usageOf({ words, operand, flags = {} }: Command): string {
  const shown = Object.entries(flags).map(([name, { value }]) => `[--${name}${value ? ` ${value}` : ''}]`)
  return [...words, ...(operand ? [operand] : []), ...shown].join(' ')
}

/** @throws {ConfigurationError} for a flag that does not exist or lacks its value, and for too many or too few operands */
export function parseCall(
  command: Command,
  args: readonly string[],
): { readonly operand: string; readonly values: Readonly<Record<string, unknown>>; readonly flags: CallFlags } {
  const own = Object.entries(command.flags ?? {}).map(
    ([name, { value, isList = false }]) => [name, { type: value ? 'string' : 'boolean', multiple: isList }] as const,
  )
  const settings = command.takesSettings === false ? [] : settingFlags.flatMap(({ flag }) => flag ?? [])
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
