import type { Clock } from 'keystile/internal'
import type { Database } from '../storage/database.ts'
import type { Terminal } from './terminal.ts'

/**
 * The description of a command-line command, without its code. Help and shell completion are
 * generated from it.
 *
 * @typeParam C the call that its code takes
 */
export interface CliCommand<C> {
  /** The words that call it, such as `user` and `create`. */
  readonly words: readonly [string, string?]
  /** The name of its operand in the help. With a name, the operand is required. */
  readonly operand?: string
  readonly flags?: Readonly<Record<string, CliFlag>>
  /**
   * Whether the command reads settings and accepts their flags. `withoutKey`: it reads settings but
   * opens no signing key, so the operator need not give the secret for it.
   */
  readonly takesSettings: boolean | 'withoutKey'
  readonly summary: string
  /** Loads the code with `import(…)`, so that other commands start without it. */
  readonly load: () => Promise<(call: C) => void | Promise<void>>
}

/** A flag of a command. */
export interface CliFlag {
  /** The name of its value in the help. Without a name, the flag takes no value. */
  readonly value?: string
  /** Whether the flag may be repeated. */
  readonly isList?: boolean
}

/**
 * One call of a command: its arguments, and the ways to the terminal, the settings and the
 * database.
 *
 * @typeParam Options the options that the command reads
 */
export interface Call<Options> {
  readonly operand: string
  readonly flags: CallFlags
  readonly terminal: Terminal
  readonly clock: Clock
  /** Reads the settings. @throws {ConfigurationError} with all faults of the settings */
  settings(): Promise<{ readonly options: Options }>
  /**
   * Opens the database of the settings, runs `work` and closes the database. A server may be
   * running on it meanwhile.
   *
   * @throws {ConfigurationError} when there is no database, unless `mayCreate` is true. Otherwise a
   *   mistyped path would create an empty database, in which no user is found.
   */
  withDatabase(
    work: (database: Database) => Promise<void>,
    options?: { readonly mayCreate: boolean },
  ): Promise<void>
}

/** The flags of a call, by name without hyphens. */
export interface CallFlags {
  has(flag: string): boolean
  value(flag: string): string | undefined
  list(flag: string): readonly string[]
}
